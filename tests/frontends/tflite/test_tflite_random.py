"""Geometries that are drawn, and whole networks: netgen and LiteRT's reference kernels agree."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.errors import GraphError
from netgen.export.litert_session import run_litert
from netgen.frontends.tflite.load import load_tflite
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.models import NETWORKS
from netgen.passes import fuse_for_others
from netgen.runtime.compare import relative_error, seeded_inputs
from tests.cases import examples
from tests.frontends.test_onnx_round_trip import small
from tests.frontends.tflite.operator_models import (
    concatenation,
    convolution,
    dense,
    pad,
    pooling,
    two,
    with_integers,
)
from tests.frontends.tflite.tflite_models import NONE, RELU, RELU6, SAME, VALID, Model
from tests.tools import find_package

EXTENT = st.integers(1, 9)
PAIR = st.tuples(st.integers(1, 3), st.integers(1, 3))
ACT = st.sampled_from((NONE, RELU, RELU6))
PADDING = st.sampled_from((SAME, VALID))
IMAGES: st.SearchStrategy[tuple[int, ...]] = st.tuples(
    st.just(1), EXTENT, EXTENT, st.integers(1, 6)
)


@st.composite
def convolutions(draw: st.DrawFn, operator: str) -> Model:
    shape, dilation = draw(IMAGES), draw(PAIR)
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    if operator == "DEPTHWISE_CONV_2D":
        weights = (1, *kernel, shape[3] * draw(st.integers(1, 3)))
    else:
        weights = (draw(st.integers(1, 5)), *kernel, shape[3])
    return convolution(
        shape=shape,
        weights=weights,
        padding=draw(PADDING),
        stride=draw(PAIR),
        dilation=dilation,
        act=draw(ACT),
        operator=operator,
    )


@st.composite
def pools(draw: st.DrawFn, operator: str) -> Model:
    window = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    return pooling(operator, window, draw(PAIR), draw(PADDING), draw(ACT), draw(IMAGES))


@st.composite
def dense_layers(draw: st.DrawFn) -> Model:
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    inputs = draw(st.integers(1, 6))
    keep = draw(st.booleans())
    return dense((1, *shape, inputs), draw(st.integers(1, 5)), inputs, keep=keep, act=draw(ACT))


@st.composite
def sums(draw: st.DrawFn) -> Model:
    a = draw(IMAGES)
    b = draw(st.sampled_from((a, (1, 1, 1, a[3]), (a[3],))))
    a, b = draw(st.permutations((a, b)))
    return two(draw(st.sampled_from(("ADD", "SUB", "MUL"))), a, b, draw(ACT))


@st.composite
def slices(draw: st.DrawFn) -> Model:
    shape = draw(IMAGES)
    begins = [draw(st.integers(0, extent - 1)) for extent in shape]
    ends = [draw(st.integers(begin + 1, n)) for begin, n in zip(begins, shape, strict=True)]
    # Counted from behind, the same places; the end of all has no such number.
    begins = [draw(st.sampled_from((b, b - n))) for b, n in zip(begins, shape, strict=True)]
    ends = [draw(st.sampled_from((e, e - n or n))) for e, n in zip(ends, shape, strict=True)]
    strides = [draw(st.integers(1, 3)) for _ in shape]
    masks = {name: draw(st.integers(0, 15)) for name in ("BeginMask", "EndMask")}
    dropped = draw(st.integers(0, 14))
    return with_integers(
        "STRIDED_SLICE", shape, tuple(begins), tuple(ends), tuple(strides),
        ShrinkAxisMask=dropped, **masks,
    )  # fmt: skip


@st.composite
def joins(draw: st.DrawFn) -> Model:
    shape, axis = draw(IMAGES), draw(st.integers(1, 3))
    extents = draw(st.lists(EXTENT, min_size=1, max_size=3))
    shapes = [(*shape[:axis], extent, *shape[axis + 1 :]) for extent in extents]
    return concatenation(axis - draw(st.sampled_from((0, 4))), *shapes)


@st.composite
def pads(draw: st.DrawFn) -> Model:
    side = st.tuples(st.integers(0, 3), st.integers(0, 3))
    return pad(draw(IMAGES), (0, 0), draw(side), draw(side), draw(side))


@st.composite
def views(draw: st.DrawFn) -> Model:
    """Transpositions and reshapes, one after the other."""
    shape = draw(IMAGES)
    model = Model({"x": shape})
    value = "x"
    for step in range(draw(st.integers(1, 5))):
        name = f"v{step}"
        if draw(st.booleans()):
            order = draw(st.permutations(range(len(shape))))
            shape = tuple(shape[axis] for axis in order)
            model.node("TRANSPOSE", [value, model.integers(f"{name}.n", *order)], [name])
        else:
            shape = draw(st.sampled_from(factored(int(np.prod(shape)))))
            model.node("RESHAPE", [value, model.integers(f"{name}.n", *shape)], [name])
        value = name
    return model.node("RELU", [value])


def factored(count: int) -> list[tuple[int, ...]]:
    """Shapes of so many elements."""
    parts = [n for n in range(1, count + 1) if count % n == 0]
    return [(count,), *((1, n, count // n) for n in parts), *((n, 1, count // n, 1) for n in parts)]


MODELS = {
    "ADD, SUB, MUL": sums(),
    "AVERAGE_POOL_2D": pools("AVERAGE_POOL_2D"),
    "CONCATENATION": joins(),
    "CONV_2D": convolutions("CONV_2D"),
    "DEPTHWISE_CONV_2D": convolutions("DEPTHWISE_CONV_2D"),
    "FULLY_CONNECTED": dense_layers(),
    "MAX_POOL_2D": pools("MAX_POOL_2D"),
    "PAD": pads(),
    "STRIDED_SLICE": slices(),
    "TRANSPOSE, RESHAPE": views(),
}


def judged(content: bytes) -> Graph | None:
    """The graph of a file, whose values are LiteRT's; None where netgen refuses it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.tflite")
        path.write_bytes(content)
        try:
            graph = load_tflite(path)
        except GraphError:
            return None
        inputs = seeded_inputs(graph)
        expected, found = run_litert(path, inputs), interpret(graph, inputs)
        for name, array in expected.items():
            assert found[name].shape == array.shape
            assert relative_error(found[name], array) <= 2e-6, name
        return graph


@pytest.mark.parametrize("kind", MODELS)
def test_drawn_models(kind: str) -> None:
    find_package("ai_edge_litert")
    read = []

    @examples(40)
    @given(MODELS[kind])
    def draw_some(model: Model) -> None:
        read.append(judged(model.content()) is not None)

    draw_some()
    assert sum(read) > len(read) // 3


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_that_the_bench_writes(name: str) -> None:
    find_package("ai_edge_litert")
    from netgen.export.tflite_file import graph_to_tflite

    graph = fuse_for_others(small(name))
    again = judged(graph_to_tflite(graph))
    assert again is not None
    images = seeded_inputs(graph)
    expected, found = interpret(graph, images), interpret(again, images)
    for ours, theirs in zip(graph.outputs, again.outputs, strict=True):
        assert relative_error(found[theirs], expected[ours]) <= 1e-6
