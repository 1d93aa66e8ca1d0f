"""The functions of an ONNX file: how many nodes they come to, before they are written out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from netgen.errors import GraphError

if TYPE_CHECKING:
    from onnx import FunctionProto, ModelProto, NodeProto

# The largest networks have some thousands.
_MOST_NODES = 100_000

_Key = tuple[str, str, str]


def check_functions(model: ModelProto, where: str) -> None:
    """Raise GraphError where functions call themselves, or come to too many nodes.

    A file of a few functions, each of which calls the one before twice, comes to any number.
    """
    functions = {(f.domain, f.name, f.overload): f for f in model.functions}
    sizes: dict[_Key, int] = {}
    for key in _callees_first(functions, where):
        sizes[key] = _size(functions[key].node, sizes)
    total = _size(model.graph.node, sizes)
    if total > _MOST_NODES:
        raise GraphError(
            "the functions of the model come to too many nodes",
            where=where,
            expected=f"at most {_MOST_NODES}",
            found=str(total),
        )


def _size(nodes: Sequence[NodeProto], sizes: dict[_Key, int]) -> int:
    return sum(sizes.get(_key(node), 1) for node in _all(nodes))


def _key(node: NodeProto) -> _Key:
    return node.domain, node.op_type, node.overload


def _all(nodes: Sequence[NodeProto]) -> Iterator[NodeProto]:
    """Nodes, and those of the graphs that they have as attributes."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                pending += graph.node


def _callees_first(functions: dict[_Key, FunctionProto], where: str) -> list[_Key]:
    """Order functions so that each comes behind those that it calls."""
    calls = {
        key: {_key(node) for node in _all(function.node)} & functions.keys()
        for key, function in functions.items()
    }
    order: list[_Key] = []
    while calls:
        ready = [key for key, needed in calls.items() if needed.isdisjoint(calls)]
        if not ready:
            raise GraphError(
                "functions of the model call themselves",
                where=where,
                found=", ".join(name for _, name, _ in sorted(calls)),
            )
        order += ready
        for key in ready:
            del calls[key]
    return order
