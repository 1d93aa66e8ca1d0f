"""The nodes of an ONNX graph that its outputs need, in the order in which they can be computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto


def needed_nodes(graph: GraphProto) -> list[NodeProto]:
    """Nodes on which outputs depend, each behind those that it reads, else as in the file.

    Files of other tools list nodes in any order, and keep branches that nothing reads. What is on a
    circle comes last: nothing makes its inputs.
    """
    makers = {name: at for at, node in enumerate(graph.node) for name in node.output if name}
    reads = [[makers[n] for n in read_names(node) if n in makers] for node in graph.node]
    pending = [makers[value.name] for value in graph.output if value.name in makers]
    needed: set[int] = set()
    while pending:
        at = pending.pop()
        if at not in needed:
            needed.add(at)
            pending += reads[at]
    return [graph.node[at] for at in _in_order(sorted(needed), reads)]


def _in_order(needed: Sequence[int], reads: Sequence[Sequence[int]]) -> Iterator[int]:
    done: set[int] = set()
    waiting: dict[int, list[int]] = {}
    for at in needed:
        pending = [at]
        while pending:
            next_one = pending.pop()
            missing = [other for other in reads[next_one] if other not in done]
            if next_one in done:
                continue
            if missing:
                waiting.setdefault(missing[0], []).append(next_one)
                continue
            done.add(next_one)
            yield next_one
            pending += sorted(waiting.pop(next_one, ()), reverse=True)
    yield from (at for at in needed if at not in done)


def read_names(node: NodeProto) -> list[str]:
    """The values that a node reads, those of the graphs that it holds included."""
    names = [name for name in node.input if name]
    pending = [graph for each in node.attribute for graph in (each.g, *each.graphs)]
    while pending:
        graph = pending.pop()
        names += [value.name for value in graph.output]
        for inner in graph.node:
            names += [name for name in inner.input if name]
            pending += [g for each in inner.attribute for g in (each.g, *each.graphs)]
    return names
