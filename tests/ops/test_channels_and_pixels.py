"""Operators that only move elements, against loops: concat, shuffles, slices, channel padding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netgen.ops as dsl
from netgen.dsl.tensor import Tensor, constructing, finish, image
from netgen.errors import GraphError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array, TensorType
from netgen.ir.text import parse_graph, print_graph
from netgen.ops.channel_pad import ChannelPad
from netgen.ops.channel_shuffle import ChannelShuffle
from netgen.ops.channel_slice import ChannelSlice
from netgen.ops.concat import Concat
from netgen.ops.spatial_slice import SpatialSlice
from tests.meaning import meaning

EXTENT = st.integers(1, 5)


def numbered(*shape: int, first: int = 0) -> Array:
    """Elements that are all different."""
    return (first + np.arange(np.prod(shape), dtype=np.float64)).reshape(shape)


def compute(op: Operator, *operands: Array) -> Array:
    """The reference, its shape compared with the type rule."""
    result = meaning(op, operands)
    kinds = [TensorType("f32", operand.shape) for operand in operands]
    assert op.infer(kinds) == TensorType("f32", result.shape)
    return result


def built(
    body: Callable[[Tensor], Tensor | tuple[Tensor, ...]], height: int, width: int, channels: int
) -> Graph:
    with constructing() as construction:
        result = body(image(height, width, channels))
        outputs = result if isinstance(result, tuple) else (result,)
        return finish(construction, "case", outputs)


@given(st.lists(EXTENT, min_size=1, max_size=12), EXTENT, EXTENT)
def test_concat(channels: list[int], height: int, width: int) -> None:
    parts = [numbered(1, height, width, c, first=1000 * n) for n, c in enumerate(channels)]
    y = compute(Concat(), *parts)
    for i, j in np.ndindex(height, width):
        expected = [value for part in parts for value in part[0, i, j].tolist()]
        assert y[0, i, j].tolist() == expected


def test_concat_of_vectors_and_letters_of_operands() -> None:
    assert compute(Concat(), numbered(1, 2), numbered(1, 3)).tolist() == [[0, 1, 0, 1, 2]]
    assert Concat().letters(11)[-1] == "x10"
    with pytest.raises(GraphError, match=r"operands x0, x1, \.\.\., expected at least 1, found 0"):
        Concat().check_count(())


@given(EXTENT, EXTENT, EXTENT)
def test_channel_shuffle(groups: int, channels: int, width: int) -> None:
    x = numbered(1, 2, width, groups * channels)
    y = compute(ChannelShuffle(groups), x)
    for n in range(channels):
        for k in range(groups):
            np.testing.assert_array_equal(y[..., n * groups + k], x[..., k * channels + n])
    np.testing.assert_array_equal(compute(ChannelShuffle(channels), y), x)


@given(st.integers(0, 4), st.integers(1, 5), st.integers(1, 3), st.integers(0, 3))
def test_channel_slice(first: int, length: int, step: int, rest: int) -> None:
    x = numbered(1, 2, 3, first + (length - 1) * step + 1 + rest)
    y = compute(ChannelSlice(first, length, step), x)
    for c in range(length):
        np.testing.assert_array_equal(y[..., c], x[..., first + c * step])


@given(st.integers(0, 3), st.integers(0, 3), EXTENT)
def test_channel_pad(front: int, back: int, channels: int) -> None:
    x = numbered(1, 2, 3, channels, first=1)
    y = compute(ChannelPad(front, back), x)
    assert y.shape[3] == front + channels + back
    np.testing.assert_array_equal(y[..., front : front + channels], x)
    assert y.sum() == x.sum()


@given(st.data(), EXTENT, EXTENT)
def test_spatial_slice(data: st.DataObject, height: int, width: int) -> None:
    def below(end: int) -> int:
        return data.draw(st.integers(0, end - 1))

    start = (below(height), below(width))
    stop = (start[0] + 1 + below(height - start[0]), start[1] + 1 + below(width - start[1]))
    stride = (1 + below(3), 1 + below(3))
    x = numbered(1, height, width, 2)
    graph = built(
        lambda t: dsl.spatial_slice(t, start=start, stop=stop, stride=stride), height, width, 2
    )
    y = interpret(graph, {"image": x})[graph.outputs[0]]
    rows, columns = range(start[0], stop[0], stride[0]), range(start[1], stop[1], stride[1])
    assert y.shape == (1, len(rows), len(columns), 2)
    for i, h in enumerate(rows):
        for j, v in enumerate(columns):
            np.testing.assert_array_equal(y[0, i, j], x[0, h, v])


def test_split_gives_slices_with_names() -> None:
    graph = built(lambda x: dsl.split(x, 3, name="part"), 2, 2, 6)
    assert graph.outputs == ("part_0", "part_1", "part_2")
    ops = [graph[name].op for name in graph.outputs]
    assert ops == [ChannelSlice(0, 2), ChannelSlice(2, 2), ChannelSlice(4, 2)]
    graph = built(lambda x: dsl.split(x, (1, 5)), 2, 2, 6)
    assert [graph[name].op for name in graph.outputs] == [ChannelSlice(0, 1), ChannelSlice(1, 5)]


@pytest.mark.parametrize("parts", [4, 0, -1, (), (3, 4), (6, 0)])
def test_split_that_does_not_add_up(parts: int | tuple[int, ...]) -> None:
    with pytest.raises(GraphError, match=r"test_channels_and_pixels\.py:\d+.*(cannot be)"):
        built(lambda x: dsl.split(x, parts), 2, 2, 6)


def test_text_form_of_a_shuffle_unit() -> None:
    def body(x: Tensor) -> Tensor:
        left, right = dsl.split(x, 2)
        y = dsl.concat(left, dsl.relu(right), dsl.channel_pad(x, 1, 1))
        return dsl.spatial_slice(dsl.channel_shuffle(y, 2), stride=2)

    graph = built(body, 4, 4, 6)
    text = print_graph(graph)
    assert "concat(%channel_slice, %relu, %channel_pad)" in text
    assert "spatial_slice(%channel_shuffle) {size=(2,2), stride=2}" in text
    assert print_graph(parse_graph(text)[0]) == text


IMAGE = TensorType("f32", (1, 4, 5, 6))


@pytest.mark.parametrize(
    ("make", "operands", "message"),
    [
        (lambda: Concat(), (), "takes the operands x0, x1"),
        (lambda: Concat(), (IMAGE, TensorType("f32", (1, 4, 4, 6))), "x1 has the wrong shape"),
        (lambda: Concat(), (IMAGE, TensorType("f32", (1, 6))), "x1 has the wrong shape"),
        (lambda: ChannelShuffle(0), (IMAGE,), "groups must be positive"),
        (lambda: ChannelShuffle(4), (IMAGE,), "6 channels cannot be split into 4 groups"),
        (lambda: ChannelSlice(-1), (IMAGE,), "a slice of channels that cannot be"),
        (lambda: ChannelSlice(0, 0), (IMAGE,), "a slice of channels that cannot be"),
        (lambda: ChannelSlice(0, 4, 2), (IMAGE,), "expected at least 7 channels, found 6"),
        (lambda: ChannelPad(0, -1), (IMAGE,), "must not be negative"),
        (lambda: SpatialSlice((0, 0), (5, 1)), (IMAGE,), "expected at least 5 rows, found 4"),
        (lambda: SpatialSlice((0, 1), (1, 3), (1, 2)), (IMAGE,), "at least 6 columns, found 5"),
        (lambda: SpatialSlice((0, -1)), (IMAGE,), "first must be one or two whole numbers"),
        (lambda: SpatialSlice(), (TensorType("f32", (1, 6)),), "x must have 4 dimensions"),
    ],
)
def test_refusals(
    make: Callable[[], Operator], operands: tuple[TensorType, ...], message: str
) -> None:
    with pytest.raises(GraphError, match=message):
        make().infer(operands)


@pytest.mark.parametrize(
    ("start", "stop", "message"),
    [
        (2, 2, "the slice is empty"),
        (0, (5, 4), r"ends outside the image, expected at most \(4, 4\)"),
    ],
)
def test_slices_outside_the_image(start: int, stop: int | tuple[int, int], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        built(lambda x: dsl.spatial_slice(x, start=start, stop=stop), 4, 4, 1)


def test_second_moments() -> None:
    assert Concat().second_moment([1.0, 3.0]) == 2.0
    for op in (ChannelShuffle(2), ChannelSlice(), SpatialSlice()):
        assert op.second_moment([0.7]) == 0.7
