"""The reference interpreter."""

from __future__ import annotations

import numpy as np
import pytest

from netgen.errors import GraphError, InputError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret, interpret_measured, rounded_values
from netgen.ir.text import parse_graph

NETWORK = """\
netgen 1
graph net {
  %a : f32[1,2] = input
  %b : f32[1,2] = input
  %w : f32[1,2] = const {data=@weights}
  %s : f32[1,2] = add(%a, %b)
  %y : f32[1,1] = linear(%s, %w) {act=relu}
  return %y
}
"""


@pytest.fixture
def graph() -> Graph:
    weights = np.array([[3.0, -1.0]], np.float32)
    return parse_graph(NETWORK)[0].with_constants({"weights": weights})


def test_all_activations_are_returned_in_float64(graph: Graph) -> None:
    values = interpret(graph, {"a": [[1, 2]], "b": np.array([[1, 1]], np.float32)})
    assert {name: value.tolist() for name, value in values.items()} == {
        "a": [[1.0, 2.0]],
        "b": [[1.0, 1.0]],
        "s": [[2.0, 3.0]],
        "y": [[3.0]],
    }
    assert {value.dtype for value in values.values()} == {np.dtype(np.float64)}


def test_sums_are_taken_in_float64(graph: Graph) -> None:
    values = interpret(graph, {"a": [[1.0, 0.0]], "b": [[2.0**-40, 0.0]]})
    assert values["y"][0, 0] == 3.0 * (1.0 + 2.0**-40)


def test_nan_is_not_hidden(graph: Graph) -> None:
    assert np.isnan(interpret(graph, {"a": [[np.nan, 0]], "b": [[0, 0]]})["y"]).all()


def test_a_missing_input(graph: Graph) -> None:
    with pytest.raises(InputError, match="no array for the input %b"):
        interpret(graph, {"a": [[1, 2]]})


@pytest.mark.parametrize("wrong", [[1, 2], [[1], [2]], [[[1, 2]]], 1.0])
def test_a_misshapen_input(graph: Graph, wrong: object) -> None:
    with pytest.raises(InputError, match=r"%a has the wrong shape, expected \[1, 2\], found \["):
        interpret(graph, {"a": np.asarray(wrong), "b": [[0, 0]]})


def test_missing_data(graph: Graph) -> None:
    with pytest.raises(GraphError, match=r"%w: the graph has no data for @weights"):
        interpret(graph.with_constants({}), {"a": [[1, 2]], "b": [[0, 0]]})


ROUNDED = """\
netgen 1
graph net {
  %x : f32[1,2] = input
  %c : i8[1,2] {scale=0x1p0, zero=1} = input
  %w : f32[2,2] = const {data=@weights}
  %r : f32[1,2] = relu(%x)
  %s : f32[1,2] = linear(%r, %w)
  %q : i8[1,2] {scale=0x1p0, zero=1} = quantize(%s) {scale=0x1p0, zero=1}
  %p : i8[1,2] {scale=0x1p0, zero=1} = quantize(%x) {scale=0x1p0, zero=1}
  %b : i8[1,4] {scale=0x1p0, zero=1} = concat(%q, %c)
  %n : i8[1,4] {scale=0x1p0, zero=1} = concat(%p, %c)
  %d : f32[1,4] = dequantize(%b)
  %f : f32[1,4] = dequantize(%n)
  %y : f32[1,4] = add(%d, %d)
  return %y, %f, %s
}
"""


@pytest.fixture
def rounding() -> Graph:
    return parse_graph(ROUNDED)[0].with_constants({"weights": np.eye(2, dtype=np.float32)})


def test_values_behind_codes_of_computed_floats(rounding: Graph) -> None:
    assert rounded_values(rounding) == {"q", "b", "d", "y"}


def test_codes_follow_from_what_was_measured(rounding: Graph, graph: Graph) -> None:
    inputs = {"x": np.array([[1.5, 2.0]]), "c": np.array([[3, 4]], np.int8)}
    alone = interpret(rounding, inputs)
    assert alone["q"].tolist() == [[3, 3]]
    # A float just below the tie has another code; what follows begins at the code as measured.
    below = np.array([[1.4999999, 2.0]], np.float32)
    found = interpret_measured(rounding, inputs, {"s": below, "d": np.zeros((1, 4), np.float32)})
    assert found["s"].tolist() == alone["s"].tolist() == [[1.5, 2.0]]
    assert found["q"].tolist() == [[2, 3]]
    assert found["d"].tolist() == [[1.0, 2.0, 2.0, 3.0]]
    assert found["y"].tolist() == [[2.0, 4.0, 4.0, 6.0]]
    wrong = np.array([[100, 3]], np.int8)
    found = interpret_measured(rounding, inputs, {"s": below, "q": wrong})
    assert found["q"].tolist() == [[2, 3]]
    assert found["b"].tolist() == [[100, 3, 3, 4]]
    floats = {"a": [[1.0, 2.0]], "b": [[0.5, 0.0]]}
    alone = interpret(graph, floats)
    found = interpret_measured(graph, floats, {"s": np.zeros((1, 2), np.float32)})
    assert {name: array.tolist() for name, array in found.items()} == {
        name: array.tolist() for name, array in alone.items()
    }
