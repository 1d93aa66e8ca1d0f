"""Fuse the addition of a shortcut into the convolution that feeds it."""

from __future__ import annotations

from dataclasses import replace

from netgen.ir.graph import Graph, Node
from netgen.ops.add import Add
from netgen.ops.conv2d import Conv2d


def fuse_residual_add(graph: Graph) -> Graph:
    """Let a convolution add the shortcut to its result.

    %c = conv2d(%x, %w, %b)            %y = conv2d(%x, %w, %b, %s)
    %y = add(%s, %c)            ->

    Only where nothing else reads %c, it has neither activation nor residual, and it has a bias. Of
    two candidates the one that is computed last is taken: the other is then the shortcut, and
    already there.
    """
    place = {node.name: position for position, node in enumerate(graph.nodes)}
    nodes: dict[str, Node] = {}
    for total in graph.activations:
        if not isinstance(total.op, Add):
            continue
        candidates = [name for name in total.operands if _fusable(graph, name, total)]
        if not candidates:
            continue
        chosen = max(candidates, key=place.__getitem__)
        shortcut = total.operands[1] if total.operands[0] == chosen else total.operands[0]
        layer = graph[chosen]
        assert isinstance(layer.op, Conv2d)
        nodes[total.name] = replace(
            layer,
            name=total.name,
            op=replace(layer.op, act=total.op.act),
            operands=(*layer.operands, shortcut),
        )
    return graph.rewrite(nodes)


def _fusable(graph: Graph, name: str, total: Node) -> bool:
    layer = graph[name]
    return (
        isinstance(layer.op, Conv2d)
        and layer.op.act == "none"
        and len(layer.operands) == 3
        and graph.sole_user(name) is total
    )
