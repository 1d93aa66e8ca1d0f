"""Graphs: edges, order, readers, rewriting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from netgen.errors import GraphError
from netgen.ir.graph import Graph, Node, SourceLine
from netgen.ir.interpret import interpret
from netgen.ir.operator import Const, Input
from netgen.ir.tensor_type import TensorType
from netgen.ir.text import parse_graph, print_graph
from netgen.ops.add import Add
from netgen.ops.relu import Relu

F32_2 = TensorType("f32", (1, 2))

NETWORK = """\
netgen 1
graph net {
  %x : f32[1,2] = input
  %w : f32[3,2] = const {data=@w}
  %b : f32[3]   = const {data=@b}
  %r : f32[1,2] = relu(%x)
  %s : f32[1,2] = add(%r, %r)
  %t : f32[1,2] = add(%x, %r)
  %y : f32[1,3] = linear(%t, %w, %b)
  %z : f32[1,3] = linear(%s, %w)
  return %y, %z
}
"""


@pytest.fixture
def graph() -> Graph:
    return parse_graph(NETWORK)[0]


def node(name: str, *operands: str) -> Node:
    return Node(name, Add() if operands else Input(), operands, F32_2)


def test_both_edges_of_an_addition_to_itself_are_kept() -> None:
    graph = Graph("twice", [node("x"), node("y", "x", "x")], ["y"])
    assert graph["y"].operands == ("x", "x")
    assert graph.sole_user("x") is None
    assert [user.name for user in graph.users("x")] == ["y"]
    assert interpret(graph, {"x": [[1.0, 3.0]]})["y"].tolist() == [[2.0, 6.0]]


def test_order_is_topological_with_ties_by_name(graph: Graph) -> None:
    assert [n.name for n in graph.nodes] == ["x", "r", "s", "t", "w", "b", "y", "z"]
    assert [n.name for n in graph.activations] == ["r", "s", "t", "y", "z"]
    assert [n.name for n in graph.inputs] == ["x"]


def test_inputs_keep_the_order_in_which_they_were_declared() -> None:
    graph = Graph("two", [node("b"), node("a"), node("y", "b", "a")], ["y"])
    assert [n.name for n in graph.inputs] == ["b", "a"]
    assert [n.name for n in graph.rewrite({}).inputs] == ["b", "a"]
    assert [n.name for n in parse_graph(print_graph(graph))[0].inputs] == ["b", "a"]


def test_readers(graph: Graph) -> None:
    assert [user.name for user in graph.users("w")] == ["y", "z"]
    assert graph.sole_user("t") is graph["y"]
    assert graph.sole_user("r") is None
    assert graph.sole_user("y") is None
    assert "y" in graph
    assert "nothing" not in graph


def test_an_output_that_is_read_has_no_sole_user() -> None:
    graph = Graph("out", [node("x"), node("y", "x", "x"), node("z", "y", "x")], ["y", "z"])
    assert graph.sole_user("y") is None


def test_macs_and_parameters(graph: Graph) -> None:
    assert graph.macs() == 2 * 3 * 2
    assert graph.parameters() == 3 * 2 + 3  # w is read twice and counted once


def test_statistics_are_no_parameters() -> None:
    text = """netgen 1
graph norm {
  %x : f32[1,5] = input
  %g : f32[5] = const {data=@g}
  %b : f32[5] = const {data=@b}
  %m : f32[5] = const {data=@m}
  %v : f32[5] = const {data=@v}
  %y : f32[1,5] = batch_norm(%x, %g, %b, %m, %v)
  return %y
}"""
    assert parse_graph(text)[0].parameters() == 10


@pytest.mark.parametrize(
    ("nodes", "outputs", "message"),
    [
        ([node("x"), node("x")], ["x"], "%x: two values have the same name"),
        ([node("x"), node("y", "x", "z")], ["y"], "%y: unknown operand %z"),
        ([node("x")], ["y"], "graph net: unknown output %y"),
        ([node("x", "y", "y"), node("y", "x", "x")], ["y"], "graph net: the values form a cycle"),
        ([node("ü")], ["ü"], r"graph net: a name that IR text cannot hold.*found '\\xfc'"),
        ([node("-x")], ["-x"], "a name that IR text cannot hold"),
        ([node("a b")], ["a b"], "a name that IR text cannot hold"),
    ],
)
def test_a_graph_that_is_none(nodes: list[Node], outputs: list[str], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        Graph("net", nodes, outputs)


def test_a_bad_name_is_reported_with_its_line() -> None:
    bad = replace(node("a b"), source=SourceLine("my_net.py", 12))
    with pytest.raises(GraphError, match=r"^my_net\.py:12: "):
        Graph("net", [bad], ["a b"])


def test_the_name_of_a_graph_is_checked() -> None:
    with pytest.raises(GraphError, match=r"the name of a graph: .* found 'my net'"):
        Graph("my net", [node("x")], ["x"])


def test_constants_that_nothing_reads_are_left_out(graph: Graph) -> None:
    arrays = {"w": np.zeros((3, 2), np.float32), "other": np.zeros(1, np.float32)}
    filled = graph.with_constants(arrays)
    assert filled.constants.keys() == {"w"}
    assert filled.constant("w") is arrays["w"]


def test_constant_errors(graph: Graph) -> None:
    with pytest.raises(GraphError, match=r"^%x: this value is not a constant"):
        graph.constant("x")
    with pytest.raises(GraphError, match=r"^%w: the graph has no data for @w; load it"):
        graph.constant("w")


def test_rewriting_gives_a_new_graph(graph: Graph) -> None:
    changed = graph.rewrite({"s": Node("s", Relu(), ("t",), F32_2)})
    assert changed["s"].operands == ("t",)
    assert graph["s"].operands == ("r", "r")


def test_rewriting_follows_chains_of_renames_and_drops_what_nobody_needs(graph: Graph) -> None:
    changed = graph.rewrite({}, renames={"t": "r", "r": "x", "y": "z"})
    assert [n.name for n in changed.nodes] == ["x", "s", "w", "z"]
    assert changed["s"].operands == ("x", "x")
    assert changed.outputs == ("z", "z")


def test_inputs_stay_even_if_nothing_reads_them() -> None:
    graph = Graph("two", [node("a"), node("b"), node("y", "b", "a")], ["y"])
    changed = graph.rewrite({"y": node("y", "b", "b")})
    assert [n.name for n in changed.inputs] == ["a", "b"]


def test_fresh_names() -> None:
    constant = Node("c", Const("d"), (), F32_2)
    graph = Graph("net", [node("x"), constant, node("x_2", "x", "c")], ["x_2"])
    assert graph.fresh_name("y") == "y"
    assert graph.fresh_name("x") == "x_3"
    assert graph.fresh_name("d") == "d_2"
