"""Remove operators that change nothing."""

from __future__ import annotations

from netgen.ir.graph import Graph, Node


def drop_identities(graph: Graph) -> Graph:
    """Let the readers of an identity read its operand.

    %y = dropout(%x)            %z = f(%x)
    %z = f(%y)             ->

    Dropped are `identity`, `dropout`, a `pad` by zero and a `reshape` to the shape it already has.
    An output that is an identity of another value becomes that value.
    """
    renames = {
        node.name: node.operands[0] for node in graph.activations if _is_identity(graph, node)
    }
    return graph.rewrite({}, renames=renames)


def _is_identity(graph: Graph, node: Node) -> bool:
    return node.op.is_identity([graph[name].type for name in node.operands], node.type)
