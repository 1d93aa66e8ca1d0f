"""Images of another size against ONNX Runtime, over random attributes, and read back."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netgen.ops as dsl
from netgen.dsl.tensor import Tensor, apply, image
from netgen.errors import GraphError
from netgen.export.onnx_file import graph_to_onnx
from netgen.frontends.onnx_file import load_onnx
from netgen.ir.interpret import interpret
from netgen.ir.text import parse_graph
from netgen.ops.resize import COORDINATES
from netgen.ops.resize_bilinear import ResizeBilinear
from netgen.ops.resize_nearest import ResizeNearest
from netgen.runtime.compare import seeded_inputs
from netgen.weights.seeded import seeded_weights
from tests.cases import examples
from tests.export.conftest import Build, Error

LIMIT = 1e-5

quietly = examples(40)
sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))
pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))
channel_counts = st.sampled_from([1, 3, 16, 29])


@pytest.mark.parametrize("kind", [ResizeBilinear, ResizeNearest])
@quietly
@given(size=sizes, to=sizes, times=st.booleans(), coordinates=st.sampled_from(COORDINATES))
def test_resizing(
    build: Build,
    error: Error,
    kind: type[ResizeBilinear | ResizeNearest],
    size: tuple[int, int],
    to: tuple[int, int],
    times: bool,
    coordinates: str,
) -> None:
    wanted = (size[0] * 3, size[1] * 2) if times else to

    def body() -> Tensor:
        return apply(kind(wanted, coordinates), image(*size, 5))

    assert error(build(body)) < LIMIT


@quietly
@given(size=sizes, block=st.integers(1, 4), channels=channel_counts)
def test_blocks(
    build: Build, error: Error, size: tuple[int, int], block: int, channels: int
) -> None:
    def body() -> tuple[Tensor, Tensor]:
        deep = dsl.space_to_depth(image(size[0] * block, size[1] * block, channels), block)
        return dsl.channel_shuffle(deep, block), dsl.depth_to_space(deep, block)

    assert error(build(body)) == 0.0


@quietly
@given(
    size=sizes,
    channels=channel_counts,
    outputs=channel_counts,
    kernel=pairs,
    stride=pairs,
    pad=st.one_of(st.just("same"), st.integers(0, 1)),
    bias=st.booleans(),
    act=st.sampled_from(["none", "relu", "relu6"]),
)
def test_transposed_convolutions(
    build: Build,
    error: Error,
    size: tuple[int, int],
    channels: int,
    outputs: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: Literal["same"] | int,
    bias: bool,
    act: str,
) -> None:
    def body() -> Tensor:
        x = image(*size, channels)
        try:
            y = dsl.transpose_conv2d(x, outputs, kernel, stride=stride, pad=pad, bias=bias)
        except GraphError:  # nothing is left
            y = dsl.transpose_conv2d(x, outputs, kernel, stride=stride, bias=bias)
        if act == "none":
            return y
        return dsl.relu(y) if act == "relu" else dsl.relu6(y)

    assert error(build(body)) < LIMIT


def test_files_are_read_back(build: Build, tmp_path: Path) -> None:
    def body() -> Tensor:
        x = dsl.transpose_conv2d(image(4, 5, 3), 8, 3, stride=2, pad=1, output_pad=1)
        x = dsl.resize_bilinear(dsl.depth_to_space(x, 2), (9, 11))
        x = dsl.pad(dsl.resize_nearest(x, (18, 22)), (1, 0, 2, 0), -2.5)
        x = dsl.mirror_pad(x, (3, 0, 1, 2))
        return dsl.resize_nearest(x, (7, 6), "half_pixel")

    graph = build(body)
    path = tmp_path / "m.onnx"
    path.write_bytes(graph_to_onnx(graph))
    again, inputs = load_onnx(path), seeded_inputs(graph)
    found = interpret(again, {again.inputs[0].name: next(iter(inputs.values()))})
    expected = interpret(graph, inputs)[graph.outputs[0]]
    np.testing.assert_allclose(found[again.outputs[0]], expected, rtol=1e-6, atol=1e-6)


SHARED = """netgen 1
graph shared {
  %x : f32[1,4,4,3] = input
  %w : f32[3,2,2,3] = const {data=@w}
  %y : f32[1,3,3,3] = conv2d(%x, %w)
  %z : f32[1,4,4,3] = transpose_conv2d(%y, %w) {size=4}
  return %z
}
"""


def test_weights_of_both_kinds_of_convolutions_are_refused() -> None:
    graph, _ = parse_graph(SHARED)
    with pytest.raises(GraphError, match="%w: weights of both a convolution and a transposed one"):
        graph_to_onnx(graph.with_constants(seeded_weights(graph)))
