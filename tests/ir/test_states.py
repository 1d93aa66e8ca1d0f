"""States: their text, what the verifier asks of them, what they mean, what rewriting keeps."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from netgen.errors import GraphError, InputError
from netgen.ir.files import load_graph, save_graph
from netgen.ir.graph import Graph, Node
from netgen.ir.interpret import (
    initial_states,
    interpret,
    interpret_measured,
    next_states,
    rounded_values,
)
from netgen.ir.text import parse_graph, print_graph
from netgen.ir.verify import verify
from netgen.ops.relu import Relu
from netgen.weights.seeded import seeded_weights
from tests.plan.stateful_graphs import BODIES, stateful

SUM = """\
netgen 1
graph g {
  %x : f32[1,3] = input
  %s : f32[1,3] = state {data=@s}
  %z : i8[1,3] {scale=0x1p-3, zero=-9} = state
  %y : f32[1,3] = add(%s, %x)
  next %s = %y
  next %z = %z
  return %y
}
"""


def read(text: str = SUM) -> Graph:
    return verify(parse_graph(text, "g.ir")[0])


@pytest.mark.parametrize("name", BODIES)
def test_text_and_files(name: str, tmp_path: Path) -> None:
    graph = stateful(name)
    again, _ = parse_graph(print_graph(graph))
    assert print_graph(again) == print_graph(graph)
    assert again.next_values == graph.next_values
    save_graph(graph, tmp_path / "g.ir")
    loaded = load_graph(tmp_path / "g.ir")
    assert print_graph(loaded) == print_graph(graph)
    for state, array in initial_states(graph).items():
        np.testing.assert_array_equal(initial_states(loaded)[state], array)


def test_the_order_of_the_text() -> None:
    lines = print_graph(read()).splitlines()
    assert [line.split()[0] for line in lines[2:]] == [
        *("%x", "%s", "%z", "%y", "next", "next", "return", "}")
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("next %s = %y", "next %s = %q", "g.ir:7: %q is used before it is defined"),
        ("next %s = %y", "next %q = %y", "g.ir:7: %q is used before it is defined"),
        ("next %s = %y", "next %s %y", "g.ir:7: IR text is malformed, expected '='"),
        ("next %s = %y", "next s = %y", "g.ir:7: IR text is malformed, expected a value"),
        ("next %z = %z", "next %s = %s", "g.ir:8: %s has two next values"),
        ("next %s = %y", "", "%s: the state has no next value"),
        ("next %z = %z", "next %z = %y", "the state becomes %y, which is f32"),
        ("next %z = %z", "next %z = %z next %x = %y", "%x: only a state has a next value"),
        ("{data=@s}", "{data=s}", "expected an array like @x"),
        ("= state\n", "= state(%x)\n", "state takes no operands"),
        ("zero=-9", "zero=-900", "the zero point is no i8"),
    ],
)
def test_faults(old: str, new: str, words: str) -> None:
    assert SUM.count(old) == 1
    text = SUM.replace(old, new)
    with pytest.raises(GraphError) as caught:
        read(text)
    assert words in str(caught.value).splitlines()[0]


def test_a_constant_is_no_next_value() -> None:
    text = SUM.replace("%y : f32", "%c : f32[1,3] = const {data=@c}\n  %y : f32")
    with pytest.raises(GraphError, match="a constant is the next value of a state"):
        read(text.replace("next %s = %y", "next %s = %c"))


def test_scales_along_an_axis_are_no_states() -> None:
    text = SUM.replace("i8[1,3] {scale=0x1p-3, zero=-9}", "i8[1,3] {scale=@k, axis=1}")
    with pytest.raises(GraphError, match="a state has scales along an axis"):
        read(text.replace("return %y", "return %y, %z"))


def test_data_of_another_shape() -> None:
    graph = read().with_constants({"s": np.zeros((3, 1), np.float32)})
    with pytest.raises(GraphError, match=re.escape("the data is float32[3, 1]")):
        verify(graph)


def test_a_next_value_must_be_there() -> None:
    with pytest.raises(GraphError, match="unknown value %q"):
        Graph("g", read().nodes, ["y"], next_values={"s": "q"})


def test_meaning() -> None:
    graph = read().with_constants({"s": np.array([[1, 2, 3]], np.float32)})
    x = {"x": np.ones((1, 3))}
    first = interpret(graph, x)
    np.testing.assert_array_equal(first["s"], [[1, 2, 3]])
    np.testing.assert_array_equal(first["y"], [[2, 3, 4]])
    states = next_states(graph, first)
    assert states["s"].dtype == np.float32
    second = interpret(graph, x, states)
    np.testing.assert_array_equal(second["y"], [[3, 4, 5]])
    np.testing.assert_array_equal(interpret(graph, x)["y"], first["y"])
    measured = interpret_measured(graph, x, {}, states)
    np.testing.assert_array_equal(measured["y"], second["y"])


def test_beginnings() -> None:
    graph = stateful("codes")
    states = initial_states(graph)
    assert set(states["s"].ravel()) == {-128}
    assert set(states["t"].ravel()) == {5}
    assert states["t"].dtype == np.int16
    with pytest.raises(GraphError, match="no data for @s"):
        initial_states(read())


def test_states_of_another_shape_are_refused() -> None:
    graph = read().with_constants({"s": np.zeros((1, 3), np.float32)})
    with pytest.raises(InputError, match="the array for the input %s has the wrong shape"):
        interpret(graph, {"x": np.zeros((1, 3))}, {"s": np.zeros((3, 1))})


def test_rewriting_keeps_what_is_needed() -> None:
    graph = stateful("circle").rewrite({})
    assert set(graph.next_values) == {"a", "b", "c"}
    renamed = graph.rewrite({}, renames={"x": "a"})
    assert renamed.next_values == graph.next_values
    alone = read().rewrite({})
    assert [state.name for state in alone.states] == ["s"]
    assert alone.next_values == {"s": "y"}
    other = graph.rewrite({"r": Node("r", Relu(), ("a",), graph["a"].type)}, next_values={"c": "r"})
    assert other.next_values == {"a": "b", "b": "c", "c": "r"}
    assert graph.sole_user("x") is not None
    assert stateful("sum").sole_user("s") is None, "a state becomes it"


def test_seeded_states() -> None:
    graph = stateful("codes")
    arrays = seeded_weights(graph.with_constants({}))
    np.testing.assert_array_equal(arrays["u"], np.full((1, 1, 1, 4), 7, np.uint8))
    floats = seeded_weights(stateful("circle").with_constants({}))
    assert 0.2 < float(np.square(floats["a"]).mean()) < 3


def test_what_depends_on_codes_of_computed_floats() -> None:
    # A sum of floats over runs is computed, but no code.
    assert rounded_values(stateful("sum")) == frozenset()
    # Codes of sums of what other runs left, and what is computed of them.
    assert {"tn", "tt", "tw"} <= rounded_values(stateful("codes"))
    assert not {"c", "n", "y", "uu"} & rounded_values(stateful("codes"))
