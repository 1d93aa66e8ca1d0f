"""Put the constant of a commutative operator behind its activation."""

from __future__ import annotations

from dataclasses import replace

from netgen.ir.graph import Graph
from netgen.ir.tensor_type import TensorType
from netgen.ops.broadcast import Broadcast
from netgen.ops.rescaled import scale_of


def put_constants_second(graph: Graph) -> Graph:
    """Exchange the operands of an addition or product whose first operand alone is a constant.

    %y = add(%c, %x)     ->     %y = add(%x, %c)

    Kernels pack the second operand. Only where the second one has the shape of the result. Codes of
    the result keep their scale, be it that of the first operand.
    """
    changed = {}
    for node in graph.activations:
        if not isinstance(node.op, Broadcast) or not node.op.commutes:
            continue
        a, b = node.operands
        if graph.is_const(a) and not graph.is_const(b) and graph[b].type.shape == node.type.shape:
            changed[node.name] = replace(node, operands=(b, a), op=_with_scale(node.op, node.type))
    return graph.rewrite(changed)


def _with_scale(op: Broadcast, kind: TensorType) -> Broadcast:
    """The operator with the scale of its result, which it may have from its first operand."""
    if kind.element.is_float or op.scale:
        return op
    return replace(op, scale=scale_of(kind), zero=kind.zero)
