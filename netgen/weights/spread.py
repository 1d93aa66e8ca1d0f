"""How large values become where weights are seeded: by analysis, nothing is run.

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
from dataclasses import dataclass

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import ANY_NUMBER, Operator
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.add import Add
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.concat import Concat
from netgen.ops.dropout import Dropout
from netgen.ops.identity import Identity

_KEEPS = (BatchNorm, Dropout, Identity)  # with seeded parameters, the mean square as well
_BRANCH_TO_SHORTCUT = 0.25


@dataclass(frozen=True)
class Spread:
    """A value's mean square, and which share of that its numbers above zero have.

    The share is 1/2 for centred values and 1 for rectified ones.
    """

    square: float = 1.0
    above: float = 0.5


def is_weighted(op: Operator) -> bool:
    """Whether an operator multiplies by weights, and so has the mean square that these aim for."""
    return "w" in op.operand_names


def aim(graph: Graph, node: Node, spreads: Mapping[str, Spread]) -> float:
    """Compute the mean square that the weights of `node` aim for; `spreads` are known by name."""
    value, reader = _kept(graph, node.name)
    if reader is None:
        return 1.0
    if isinstance(reader.op, ElementwiseActivation):
        return reader.op.aim
    others = [name for name in reader.operands if name != value and not graph.is_const(name)]
    if not isinstance(reader.op, Add) or not others:
        return 1.0
    if others[0] not in spreads or _is_branch(graph, others[0]):
        return 0.5
    return _BRANCH_TO_SHORTCUT * spreads[others[0]].square


def spread_after(op: Operator, given: Sequence[Spread], aimed: float) -> Spread:
    """Spread of an operator's result, given those of its activations; `aimed` as `aim` says."""
    x = given[0]
    if isinstance(op, ElementwiseActivation):
        return Spread(*op.spread(x.square, x.above))
    square = op.second_moment([spread.square for spread in given])
    if is_weighted(op):
        return Spread(aimed * square)
    return Spread(square, _above(op, given))


def _above(op: Operator, given: Sequence[Spread]) -> float:
    if op.value_range([ANY_NUMBER] * len(given))[0] >= 0.0:
        return 1.0
    if isinstance(op, Add) and len(given) == 2:
        return _above_of_sum(*given)
    if isinstance(op, Concat):
        total = sum(spread.square for spread in given)
        return sum(spread.square * spread.above for spread in given) / total
    return given[0].above


def _above_of_sum(a: Spread, b: Spread) -> float:
    """Share above zero of a sum of independent values.

    Exact for two centred and for two rectified ones. Of a centred b that is added to a rectified a
    a quarter ends below zero: exact where b is small, within 7 % of the sum where they are equal.
    """
    below = a.square * (1.0 - a.above) * (1.5 - b.above)
    below += b.square * (1.0 - b.above) * (1.5 - a.above)
    return 1.0 - below / (a.square + b.square)


def _kept(graph: Graph, name: str) -> tuple[str, Node | None]:
    """Follow a value through what keeps its mean square: its last name there, and its one reader.

    The reader is None for outputs and for values that are read more than once.
    """
    reader = graph.sole_user(name)
    while reader is not None and isinstance(reader.op, _KEEPS):
        name, reader = reader.name, graph.sole_user(reader.name)
    return name, reader


def _is_branch(graph: Graph, name: str) -> bool:
    """Whether a summand comes from weights of its own, and nobody else reads it on its way."""
    node = graph[name]
    while isinstance(node.op, _KEEPS) and graph.sole_user(node.name):
        node = graph[node.operands[0]]
    return is_weighted(node.op) and graph.sole_user(node.name) is not None
