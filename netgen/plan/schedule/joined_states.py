"""Channel maps that put states before or behind new channels, in one buffer that lives on.

The rows that a convolution keeps from run to run are such a state, and those of this run are what
is new. Where the map is the only one that needs the state at another place, the new channels are
written straight to theirs: nothing is copied to join them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import State
from netgen.ir.rows import recuts, rows_of


@dataclass(frozen=True)
class Joins:
    """Maps that are the whole of their buffers, and the map of every value that stands there.

    A state without such a map is by itself: `of` names the state. `blocked` are operands of maps,
    by map, that must be written elsewhere, and would have to be copied.
    """

    maps: Collection[str] = ()
    of: Mapping[str, str] = field(default_factory=dict)
    blocked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def find_joins(graph: Graph, dense: Collection[str]) -> Joins:
    """The joins of a graph; `dense` are values that have a buffer of their own.

    Of several maps of one value the one with most channels joins it.
    """
    maps: list[str] = []
    of: dict[str, str] = {}
    blocked: dict[str, tuple[str, ...]] = {}
    given = {_first(graph, name) for name in graph.outputs}
    nodes = [n for n in graph.activations if n.op.view_of == "channels" and n.name not in given]
    for node in sorted(nodes, key=lambda node: -node.type.shape[-1]):
        bases = [_base(graph, name) for name in node.operands]
        states = [base for base in bases if isinstance(base.op, State)]
        free = not any(base.name in of for base in bases)
        if not states or not free or not _is_whole(graph, node, bases):
            continue
        if any(state.name in dense for state in states) or any(map(graph.is_const, node.operands)):
            continue
        wrong = [
            name
            for name, base in zip(node.operands, bases, strict=True)
            if not isinstance(base.op, State) and not _is_written(graph, base, dense)
        ]
        if wrong:
            blocked[node.name] = tuple(wrong)
            continue
        maps.append(node.name)
        of |= {base.name: node.name for base in bases}
    return Joins(maps, {state.name: state.name for state in graph.states} | of, blocked)


def _base(graph: Graph, name: str) -> Node:
    """The value of which a value is a reshape that moves no element to another pixel."""
    node = graph[name]
    while node.op.view_of == "elements":
        operand = graph[node.operands[0]]
        if recuts(operand.type.shape, node.type.shape):
            break
        node = operand
    return node


def _first(graph: Graph, name: str) -> str:
    """The value whose elements a value shows by reshapes."""
    while graph[name].op.view_of == "elements":
        (name,) = graph[name].operands
    return name


def _is_whole(graph: Graph, node: Node, bases: list[Node]) -> bool:
    """Whether a map is its operands, one behind the other, in the same pixels."""
    names = {base.name for base in bases}
    grids = {_grid(each) for each in (node, *bases)}
    counts = [graph[name].type.shape[-1] for name in node.operands]
    operands, channels = node.op.channel_sources(counts)
    order = [*dict.fromkeys(operands.tolist())]
    whole = sorted(order) == [*range(len(counts))] and np.array_equal(
        channels, np.concatenate([np.arange(counts[n]) for n in order])
    )
    return whole and len(names) == len(bases) and len(grids) == 1


def _grid(node: Node) -> tuple[int, int]:
    kind = node.type
    return rows_of(kind.shape), kind.elements // kind.shape[-1]


def _is_written(graph: Graph, base: Node, dense: Collection[str]) -> bool:
    """Whether a step computes a value and may write it anywhere."""
    computed = base.op.view_of == "nothing" and bool(base.operands)
    return computed and base.name not in dense and not graph.is_const(base.name)
