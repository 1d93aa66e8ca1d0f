"""Put the constant of a commutative operator behind its activation."""

from __future__ import annotations

from dataclasses import replace

from netgen.ir.graph import Graph
from netgen.ops.broadcast import Broadcast


def put_constants_second(graph: Graph) -> Graph:
    """Exchange the operands of an addition or product whose first operand alone is a constant.

    %y = add(%c, %x)     ->     %y = add(%x, %c)

    Kernels pack the second operand. Only where both operands have the type of the result.
    """
    changed = {}
    for node in graph.activations:
        if not isinstance(node.op, Broadcast):
            continue
        a, b = node.operands
        if graph.is_const(a) and not graph.is_const(b) and graph[b].type == node.type:
            changed[node.name] = replace(node, operands=(b, a))
    return graph.rewrite(changed)
