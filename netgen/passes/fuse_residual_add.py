"""Fuse the addition of a shortcut into the convolution that feeds it."""

from __future__ import annotations

from dataclasses import replace

from netgen.ir.graph import Graph, Node
from netgen.ops.add import Add


def fuse_residual_add(graph: Graph) -> Graph:
    """Let a convolution add the shortcut to its result.

    %c = conv2d(%x, %w, %b)            %y = conv2d(%x, %w, %b, %s)
    %y = add(%s, %c)            ->

    Only where nothing else reads %c, it has neither activation nor residual, and it has a bias, and
    %s is an activation of the same shape. Codes stay as they are: their sum is rounded twice, and
    the convolution's result before. Of two candidates the one that is computed last is taken:
    the other is then the shortcut, and already there.
    """
    place = {node.name: position for position, node in enumerate(graph.nodes)}
    nodes: dict[str, Node] = {}
    for total in graph.activations:
        if not isinstance(total.op, Add):
            continue
        candidates = _candidates(graph, total)
        if not candidates:
            continue
        chosen = max(candidates, key=lambda candidate: place[candidate])
        shortcut = total.operands[1] if total.operands[0] == chosen else total.operands[0]
        nodes[total.name] = replace(
            graph[chosen],
            name=total.name,
            op=graph[chosen].op.with_activation(total.op.act),
            operands=(*graph[chosen].operands, shortcut),
        )
    return graph.rewrite(nodes)


def _candidates(graph: Graph, total: Node) -> list[str]:
    """Operands of an addition that can take over the other operand: as their next, a residual."""
    candidates: list[str] = []
    if not total.type.element.is_float:
        return candidates
    if any(graph.is_const(name) or graph[name].type != total.type for name in total.operands):
        return candidates
    for name in total.operands:
        layer = graph[name]
        following = layer.op.operand_names[len(layer.operands) :]
        if following != ("residual",) or graph.sole_user(name) is not total:
            continue
        if layer.op.activation == "none":
            candidates.append(name)
    return candidates
