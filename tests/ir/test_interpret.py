"""The reference interpreter."""

from __future__ import annotations

import numpy as np
import pytest

import netgen.ops  # noqa: F401  # registers the operators
from netgen.errors import GraphError, InputError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
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
