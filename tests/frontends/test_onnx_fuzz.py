"""Models with faults: a graph, or an error of netgen; nothing else, and not much work for it."""

from __future__ import annotations

import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto

from netgen.errors import NetgenError
from netgen.frontends.onnx_file import load_onnx
from netgen.ir.graph import Graph
from tests.frontends.arithmetic_cases import FOLDED
from tests.frontends.counted import counted
from tests.frontends.layer_cases import LAYERS
from tests.frontends.onnx_models import Model
from tests.frontends.onnx_mutations import mutate
from tests.frontends.onnx_oddities import pick
from tests.frontends.operator_cases import versions
from tests.frontends.test_onnx_open_axis import BATCHES, NO_BATCH

MUTANTS = 6400


@pytest.fixture(scope="module")
def originals() -> list[ModelProto]:
    """Small models of every operator, and some of several."""
    models = [
        case.model(opset)
        for cases in (LAYERS, FOLDED)
        for operator, each in cases.items()
        for case in each
        if not case.refused
        for opset in sorted({versions(operator)[0], 13, 17, 22})
        if case.first <= opset <= case.last and opset >= versions(operator)[0]
    ]
    models += [build(Model({"x": ("N", 4, 5, 6)})) for build in BATCHES]
    models += [build(Model({"x": (6, 6)})) for build in NO_BATCH]
    return [model.proto() for model in models]


def outcome(path: Path) -> Graph | str:
    """The graph of a file, or the one line that says why there is none."""
    try:
        with warnings.catch_warnings(), counted():
            warnings.simplefilter("error")
            return load_onnx(path)
    except NetgenError as error:
        return str(error)


@pytest.mark.heavy
@pytest.mark.parametrize("part", range(8))
def test_mutated_models(tmp_path: Path, originals: list[ModelProto], part: int) -> None:
    path = tmp_path / "m.onnx"
    graphs = 0
    tracemalloc.start(1)
    try:
        for seed in range(part, MUTANTS, 8):
            draw = np.random.default_rng(seed)
            model = ModelProto()
            model.CopyFrom(pick(draw, originals))
            names = mutate(draw, model)
            path.write_bytes(model.SerializeToString())
            result = outcome(path)
            graphs += isinstance(result, Graph)
            assert isinstance(result, Graph) or "\n" not in result, (seed, names)
    finally:
        tracemalloc.stop()
    # Not all are faulty: most of a model is read.
    assert MUTANTS // 8 // 20 < graphs < MUTANTS // 8 // 2
