"""Let convolutions pad by themselves."""

from __future__ import annotations

from dataclasses import replace

from netgen.ir.graph import Graph, Node
from netgen.ops.pad import Pad
from netgen.ops.window import Sliding


def fold_pad(graph: Graph) -> Graph:
    """Add a zero padding to that of the convolution that reads it.

    %p = pad(%x) {pad=(0,1,0,1)}            %y = conv2d(%x, %w) {stride=2, pad=(0,1,0,1)}
    %y = conv2d(%p, %w) {stride=2}     ->

    Other readers of the padded value keep it. Zeros of codes are their zero point, which
    convolutions of codes pad with, too. A frame of another value stays.
    """
    changed: dict[str, Node] = {}
    for node in graph.activations:
        if not isinstance(node.op, Sliding):
            continue
        x, op = node.operands[0], node.op
        while isinstance(padding := graph[x].op, Pad) and padding.value == 0.0:
            sides = tuple(a + b for a, b in zip(op.pad, padding.pad, strict=True))
            op = replace(op, pad=(sides[0], sides[1], sides[2], sides[3]))
            x = graph[x].operands[0]
        if op != node.op:
            changed[node.name] = replace(node, op=op, operands=(x, *node.operands[1:]))
    return graph.rewrite(changed)
