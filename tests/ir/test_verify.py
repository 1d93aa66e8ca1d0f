"""The verifier: each kind of fault, with the statements around it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from netgen.errors import GraphError
from netgen.ir.graph import Graph, Node, SourceLine
from netgen.ir.operator import Const, Input
from netgen.ir.tensor_type import TensorType
from netgen.ir.verify import verify
from netgen.ops.add import Add
from netgen.ops.linear import Linear
from netgen.ops.relu import Relu

ROW = TensorType("f32", (1, 2))
X = Node("x", Input(), (), ROW)
W = Node("w", Const("w"), (), TensorType("f32", (2, 2)))
CHAIN = [
    X,
    W,
    *[Node(f"r{i}", Relu(), (f"r{i - 1}" if i else "x",), ROW) for i in range(8)],
    Node("y", Linear(), ("r7", "w"), ROW),
]


def chain(**changed: Node) -> Graph:
    """A chain of eight rectifiers and a linear layer, some of it replaced."""
    return Graph("net", [changed.get(node.name, node) for node in CHAIN], ["y"])


def test_a_sound_graph_is_returned() -> None:
    graph = chain()
    assert verify(graph) is graph


def test_a_graph_without_outputs() -> None:
    with pytest.raises(GraphError, match="graph net: the graph returns nothing"):
        verify(Graph("net", CHAIN, []))


def test_the_statements_around_the_fault_are_shown() -> None:
    wrong = Node("r4", Relu(), ("r3",), TensorType("f32", (1, 3)), SourceLine("my_net.py", 7))
    with pytest.raises(GraphError) as caught:
        verify(chain(r4=wrong))
    assert str(caught.value).splitlines() == [
        "my_net.py:7: %r4: the type should be f32[1,2] and is f32[1,3]",
        "   %r1 : f32[1,2] = relu(%r0)",
        "   %r2 : f32[1,2] = relu(%r1)",
        "   %r3 : f32[1,2] = relu(%r2)",
        "-> %r4 : f32[1,3] = relu(%r3)",
        "   %r5 : f32[1,2] = relu(%r4)",
        "   %r6 : f32[1,2] = relu(%r5)",
        "   %r7 : f32[1,2] = relu(%r6)",
    ]


def test_at_the_edge_fewer_statements_are_shown() -> None:
    wrong = Node("r0", Relu(), ("x",), TensorType("f32", (2, 1)))
    with pytest.raises(GraphError) as caught:
        verify(chain(r0=wrong))
    lines = str(caught.value).splitlines()
    assert lines[1:3] == ["   %x : f32[1,2] = input", "-> %r0 : f32[2,1] = relu(%x)"]
    assert len(lines) == 6


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Node("r4", Add(), ("r3",), ROW), "%r4: add takes the operands a, b, expected 2, found 1"),
        (Node("r4", Relu(), ("r3", "r2"), ROW), "%r4: relu takes the operands x, expected 1"),
        (Node("r4", Add(), ("r3", "w"), ROW), r"%r4: the type should be f32\[2,2\]"),
        (Node("y", Linear(), ("r7", "r6"), ROW), r"should be f32\[1,1\] and is f32\[1,2\]"),
    ],
)
def test_operands_that_do_not_fit(wrong: Node, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        verify(chain(**{wrong.name: wrong}))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((2, 3), np.float32),
            r"%w: the data is float32\[2, 3\], the type says f32\[2,2\]",
        ),
        (np.zeros((2, 2)), r"%w: the data is float64\[2, 2\]"),
        (np.full((2, 2), np.nan, np.float32), "%w: the data is not finite"),
        (np.array([[1, 2], [3, np.inf]], np.float32), "%w: the data is not finite"),
    ],
)
def test_data_that_does_not_fit(array: npt.NDArray[np.float32], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        verify(chain().with_constants({"w": array}))


def test_constants_without_data_pass() -> None:
    verify(chain().with_constants({}))
    verify(chain().with_constants({"w": np.zeros((2, 2), np.float32)}))


def test_one_array_under_two_types() -> None:
    other = Node("v", Const("w"), (), TensorType("f32", (2,)))
    y = replace(CHAIN[-1], operands=("r7", "w", "v"))
    with pytest.raises(GraphError, match=r"%v: its data is f32\[2,2\] in %w and f32\[2\] here"):
        verify(Graph("net", [*CHAIN[:-1], other, y], ["y"]))


def test_a_constant_is_no_output() -> None:
    with pytest.raises(GraphError, match="%w: a constant is an output"):
        verify(Graph("net", CHAIN, ["y", "w"]))
