"""Remove activations of values that lie in their range already."""

from __future__ import annotations

from netgen.ir.graph import Graph
from netgen.passes.value_ranges import leaves_alone, value_ranges


def drop_repeated_relu(graph: Graph) -> Graph:
    """Let the readers of a relu or relu6 that changes nothing read its operand.

    %r = relu(%x)                             %r = relu(%x)
    %p = max_pool2d(%r) {kernel=2}     ->     %p = max_pool2d(%r) {kernel=2}
    %y = relu(%p)                             %z = f(%p)
    %z = f(%y)

    An output that is such a value becomes its operand.
    """
    ranges = value_ranges(graph)
    renames = {
        node.name: node.operands[0]
        for node in graph.activations
        if leaves_alone(node.op, ranges[node.operands[0]])
    }
    return graph.rewrite({}, renames=renames)
