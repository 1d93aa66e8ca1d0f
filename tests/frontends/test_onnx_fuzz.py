"""Models with faults: a graph, or an error of netgen; nothing else, and not much work for it."""

from __future__ import annotations

import sys
import tracemalloc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
from onnx import ModelProto

from netgen.errors import NetgenError
from netgen.frontends.onnx_file import load_onnx
from netgen.ir.graph import Graph
from tests.frontends.arithmetic_cases import FOLDED
from tests.frontends.layer_cases import LAYERS
from tests.frontends.onnx_models import Model
from tests.frontends.onnx_mutations import mutate
from tests.frontends.onnx_oddities import pick
from tests.frontends.operator_cases import versions
from tests.frontends.test_onnx_open_axis import BATCHES, NO_BATCH

MUTANTS = 6400
# A small model takes some ten thousand calls of functions, in Python and in C.
MOST_CALLS = 1_000_000
MOST_BYTES = 1 << 29


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


@contextmanager
def counted() -> Iterator[None]:
    """Fail where too many functions are called, or too much memory is taken."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        del frame, argument
        calls += event in ("call", "c_call")
        assert calls <= MOST_CALLS

    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
    _, peak = tracemalloc.get_traced_memory()
    assert peak - before <= MOST_BYTES


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
