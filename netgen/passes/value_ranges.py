"""Ranges of the elements of values, as far as their operators state them."""

from __future__ import annotations

from netgen.ir.graph import Graph
from netgen.ir.magnitude import ANY_NUMBER, Range
from netgen.ir.operator import Operator
from netgen.ops.activation import ElementwiseActivation, find_activation


def value_ranges(graph: Graph) -> dict[str, Range]:
    """Least and greatest element of every value; NaN is not considered.

    Of codes nothing is said: each scale rounds the limits of an activation elsewhere.
    """
    ranges: dict[str, Range] = {}
    for node in graph.nodes:
        if not node.type.element.is_float:
            ranges[node.name] = ANY_NUMBER
            continue
        activation = find_activation(node.op.activation or "none")
        if activation is not None:
            ranges[node.name] = activation.value_range([ANY_NUMBER])
        else:
            ranges[node.name] = node.op.value_range([ranges[name] for name in node.operands])
    return ranges


def leaves_alone(op: Operator, values: Range) -> bool:
    """Whether an operator is an activation that returns every element of this range as it is."""
    return isinstance(op, ElementwiseActivation) and op.leaves_alone(values)
