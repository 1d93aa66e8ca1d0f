"""Keep one of several equal constants."""

from __future__ import annotations

from netgen.ir.graph import Graph
from netgen.ir.operator import Const


def share_constants(graph: Graph) -> Graph:
    """Let the readers of equal constants read the first of them, bit for bit equal.

    %a = const {data=@a}            %y = f(%x, %a)
    %b = const {data=@b}     ->     %z = g(%x, %a)
    %y = f(%x, %a)
    %z = g(%x, %b)

    Without data, constants are equal if they name the same array.
    """
    first: dict[object, str] = {}
    renames: dict[str, str] = {}
    for node in graph.nodes:
        if not isinstance(node.op, Const):
            continue
        array = graph.constants.get(node.op.data)
        content = node.op.data if array is None else array.tobytes()
        kept = first.setdefault((node.type, content), node.name)
        if kept != node.name:
            renames[node.name] = kept
    return graph.rewrite({}, renames=renames)
