"""Models read by netgen, and judged by ONNX Runtime."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from netgen.export.onnxruntime_session import open_session
from netgen.frontends.onnx_file import load_onnx
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from tests.frontends.onnx_models import Floats, Model

# torch is no dependency of the tests: where it is not installed, there are no tests of its exports.
collect_ignore = [] if importlib.util.find_spec("torch") else ["test_torch_exports.py"]


def as_image(array: Floats) -> Floats:
    return array if array.shape[0] == 1 and array.ndim > 1 else array[np.newaxis]


Load = Callable[[Model], Graph]
Agree = Callable[[Model], Graph]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """A function that writes a model to a file and has netgen read it."""

    def of(model: Model) -> Graph:
        path = tmp_path / "case.onnx"
        path.write_bytes(model.proto().SerializeToString())
        return load_onnx(path)

    return of


@pytest.fixture
def agree(load: Load) -> Agree:
    """A function that asserts that netgen's graph and ONNX Runtime agree; it gives the graph.

    netgen's inputs and outputs have a batch of 1 before a first axis that is longer or the only
    one.
    """

    def of(model: Model) -> Graph:
        graph = load(model)
        images = model.images()
        expected = open_session(model.proto().SerializeToString()).run(None, images)
        found = interpret(graph, {name: as_image(image) for name, image in images.items()})
        assert len(graph.outputs) == len(expected)
        for name, result in zip(graph.outputs, expected, strict=True):
            array = as_image(np.asarray(result))
            assert found[name].shape == array.shape
            np.testing.assert_allclose(found[name], array, rtol=0, atol=1e-5)
        return graph

    return of
