"""Let a reshape of a reshape read what the first one reads."""

from __future__ import annotations

from dataclasses import replace

from netgen.ir.graph import Graph, Node


def merge_reshapes(graph: Graph) -> Graph:
    """Only the last shape of a chain of reshapes counts.

    %r = reshape(%x)
    %y = reshape(%r)       ->   %y = reshape(%x)

    Where %y has the type of %x again, its readers read %x. The reshapes before stay where something
    else reads them.
    """
    nodes: dict[str, Node] = {}
    renames: dict[str, str] = {}
    for node in graph.activations:
        if node.op.view_of == "elements":
            base = _base(graph, node)
            if base.type == node.type:
                renames[node.name] = base.name
            elif base.name != node.operands[0]:
                nodes[node.name] = replace(node, operands=(base.name,))
    return graph.rewrite(nodes, renames=renames)


def _base(graph: Graph, reshape: Node) -> Node:
    """The first value before a reshape that is no reshape itself."""
    base = graph[reshape.operands[0]]
    while base.op.view_of == "elements":
        base = graph[base.operands[0]]
    return base
