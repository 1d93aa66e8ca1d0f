"""Tensors as views of stored values: NumPy says what every chain of reshapes and transposes is."""

from __future__ import annotations

from itertools import permutations
from math import prod

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netgen.frontends.onnx_builder import Builder
from netgen.frontends.onnx_tensor_view import TensorView, alike, channels_last, row_major
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.verify import verify

SHAPES = [(1, 6, 4, 5), (1, 12, 2, 2), (2, 3, 4), (1, 8), (24,), (1, 1, 7, 1), (1, 9, 1, 1)]


def factorings(count: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of that many elements."""
    divisors = [n for n in range(1, count + 1) if count % n == 0]

    def rest(first: int) -> st.SearchStrategy[tuple[int, ...]]:
        if first == count:
            return st.just((first,))
        return factorings(count // first).map(lambda tail: (first, *tail))

    return st.sampled_from(divisors).flatmap(
        lambda n: rest(n) if n > 1 or count == 1 else st.just((1, count))
    )


def finished(builder: Builder, view: TensorView, value: str) -> Graph:
    graph = Graph("case", builder.nodes.values(), [value], builder.constants)
    assert view.value in builder.nodes
    return verify(graph)


@given(st.data())
def test_any_chain_of_reshapes_and_transposes(data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from(SHAPES))
    builder = Builder(["y"])
    view = builder.input("x", shape)
    x = expected = np.arange(prod(shape), dtype=np.float64).reshape(shape)
    for _ in range(data.draw(st.integers(0, 5))):
        if data.draw(st.booleans()):
            target = data.draw(factorings(expected.size))
            view, expected = builder.reshaped(view, target), expected.reshape(target)
        else:
            perm = data.draw(st.sampled_from(list(permutations(range(expected.ndim)))[:24]))
            view, expected = view.transposed(perm), expected.transpose(perm)
        assert view.shape == expected.shape
    value = builder.as_in_file(view)
    graph = finished(builder, view, value)
    assert np.array_equal(interpret(graph, {"x": x})[value], expected)


@given(st.sampled_from([2, 3, 4, 6, 12]), st.sampled_from([(1, 1), (2, 3), (5, 1)]))
def test_shuffle_of_channels_is_one_operator(groups: int, pixels: tuple[int, int]) -> None:
    shape = (1, 12, *pixels)
    builder = Builder([])
    x = builder.image(builder.input("x", shape))
    before = len(builder.nodes)
    view = builder.view(x, shape)
    view = builder.reshaped(view, (1, groups, 12 // groups, *pixels)).transposed((0, 2, 1, 3, 4))
    value = builder.image(builder.reshaped(view, shape))
    added = [node.op.operator_name for node in list(builder.nodes.values())[before:]]
    assert added == ([] if groups == 12 else ["channel_shuffle"])
    image = np.arange(prod(shape), dtype=np.float64).reshape(shape)
    shuffled = image.reshape(1, groups, -1, *pixels).swapaxes(1, 2).reshape(shape)
    found = interpret(finished(builder, view, value), {"x": image})[value]
    assert np.array_equal(found, shuffled.transpose(0, 2, 3, 1))


def test_layout_changes_that_undo_each_other_are_nothing() -> None:
    builder = Builder([])
    view = builder.input("x", (1, 5, 4, 3)).transposed((0, 3, 1, 2))
    assert builder.image(view) == "x"
    assert builder.as_in_file(view.transposed((0, 2, 3, 1))) == "x"
    assert list(builder.nodes) == ["x"]


def test_one_transpose_for_all_who_need_it() -> None:
    builder = Builder([])
    view = builder.input("x", (1, 3, 4, 5))
    assert builder.image(view) == builder.image(view) == "x.transpose"
    assert len(builder.nodes) == 2


def test_views_are_alike_by_their_order() -> None:
    shape = (1, 4, 2, 3)
    assert alike(channels_last("a", shape), channels_last("b", shape))
    assert not alike(channels_last("a", shape), row_major("b", shape))
    assert not alike(channels_last("a", shape), channels_last("b", (1, 4, 3, 2)))
