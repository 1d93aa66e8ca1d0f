"""The size of values in a network with seeded weights: by analysis, nothing is run.

Operators say what they do to a mean square, of centred values. Through the many blocks of a
network with shortcuts or gates small faults of that multiply, so three things are added here:

- Values that were rectified are not centred, and rectifying them again, or their sum with a branch,
  takes less than half away. Each value has the share of its mean square that is above zero.
- A branch adds a quarter of what its shortcut has. The sums grow slowly, and what a branch has too
  much or too little of is damped; two branches that meet aim for a half each.
- Some activations drive any fault apart, and say which mean square weights before them aim for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netgen.ir.graph import Graph, Node
from netgen.ir.magnitude import Spread
from netgen.ir.operator import Operator

_BRANCH_TO_SHORTCUT = 0.25


def aim(graph: Graph, node: Node, spreads: Mapping[str, Spread]) -> float:
    """Compute the mean square that the weights of `node` aim for; `spreads` are known by name."""
    value, reader = _kept(graph, node.name)
    if reader is None:
        return 1.0
    others = [name for name in reader.operands if name != value and not graph.is_const(name)]
    if not reader.op.adds_operands or not others:
        return reader.op.aim
    if others[0] not in spreads or _is_branch(graph, others[0]):
        return 0.5
    return _BRANCH_TO_SHORTCUT * spreads[others[0]].square


def spread_after(op: Operator, given: Sequence[Spread], aimed: float) -> Spread:
    """Spread of an operator's result, given those of its activations; `aimed` as `aim` says."""
    if op.is_weighted:
        return Spread(aimed * op.second_moment([spread.square for spread in given]))
    return op.spread(given)


def _kept(graph: Graph, name: str) -> tuple[str, Node | None]:
    """Follow a value through what keeps its mean square: its last name there, and its one reader.

    The reader is None for outputs and for values that are read more than once.
    """
    reader = graph.sole_user(name)
    while reader is not None and reader.op.keeps_spread:
        name, reader = reader.name, graph.sole_user(reader.name)
    return name, reader


def _is_branch(graph: Graph, name: str) -> bool:
    """Whether a summand comes from weights of its own, and nobody else reads it on its way."""
    node = graph[name]
    while node.op.keeps_spread and graph.sole_user(node.name):
        node = graph[node.operands[0]]
    return node.op.is_weighted and graph.sole_user(node.name) is not None
