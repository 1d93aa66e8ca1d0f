"""The verifier: runs after every pass and before planning.

A fault here is a fault of a pass (or of a hand-written text), so the message shows the lines of the
graph around it.
"""

from __future__ import annotations

import numpy as np

from netgen.errors import GraphError
from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Const, Input, State
from netgen.ir.text import print_node


def verify(graph: Graph) -> Graph:
    """Check outputs, types, operand counts, constants and states; returns the graph.

    Constants without data pass, wrong or non-finite data does not. Raises GraphError, whose further
    lines show the statements around the fault.
    """
    if not graph.outputs:
        raise GraphError("the graph returns nothing", where=f"graph {graph.name}")
    for name in graph.next_values:
        if not isinstance(graph[name].op, State):
            raise GraphError("only a state has a next value", where=_where(graph[name]))
    readers: dict[str, Node] = {}
    for node in graph.nodes:
        if isinstance(node.op, Const):
            first = readers.setdefault(node.op.data, node)
            fault = _constant_fault(graph, node, node.op.data, first)
        elif isinstance(node.op, State):
            data = node.op.data
            fault = _state_fault(graph, node, data, readers.setdefault(data, node))
        else:
            fault = _fault(graph, node)
        fault = fault or _scale_fault(graph, node)
        if fault:
            raise GraphError(f"{fault}\n{_lines_around(graph, node)}", where=_where(node))
    return graph


def _where(node: Node) -> str:
    return f"{node.source}: %{node.name}" if node.source else f"%{node.name}"


def _constant_fault(graph: Graph, node: Node, data: str, first: Node) -> str | None:
    """Say what is wrong with a constant, or None; `first` is the first one of the same data."""
    if node.name in graph.outputs:
        return "a constant is an output"
    if node.name in graph.next_values.values():
        return "a constant is the next value of a state"
    return _data_fault(graph, node, data, first)


def _state_fault(graph: Graph, node: Node, data: str, first: Node) -> str | None:
    """Say what is wrong with a state, or None; `first` is the first node of the same data."""
    if node.name not in graph.next_values:
        return "the state has no next value"
    following = graph[graph.next_values[node.name]]
    if following.type != node.type:
        return f"the state becomes %{following.name}, which is {following.type}, not {node.type}"
    quantisation = node.type.quantisation
    if quantisation is not None and quantisation.axis is not None:
        return "a state has scales along an axis"
    return _data_fault(graph, node, data, first) if data else None


def _data_fault(graph: Graph, node: Node, data: str, first: Node) -> str | None:
    """Say what is wrong with the array that a node names, or None."""
    if first.type != node.type:
        return f"its data is {first.type} in %{first.name} and {node.type} here"
    if data not in graph.constants:
        return None
    array = graph.constants[data]
    if array.shape != node.type.shape or array.dtype != node.type.element.storage:
        return f"the data is {array.dtype}{list(array.shape)}, the type says {node.type}"
    return None if bool(np.isfinite(array).all()) else "the data is not finite"


def _scale_fault(graph: Graph, node: Node) -> str | None:
    """Say what is wrong with a scale along an axis, or None."""
    quantisation = node.type.quantisation
    if quantisation is None or quantisation.axis is None or not graph.constants:
        return None
    name = str(quantisation.scale)
    if name not in graph.constants:
        return f"there is no array @{name} of scales"
    array, extent = graph.constants[name], node.type.shape[quantisation.axis]
    if array.shape != (extent,) or array.dtype != np.float32:
        return f"the scales @{name} are {array.dtype}{list(array.shape)}, not float32[{extent}]"
    sound = np.isfinite(array).all() and (array > 0.0).all()
    return None if sound else f"the scales @{name} are not all positive and finite"


def _fault(graph: Graph, node: Node) -> str | None:
    """Say what is wrong with an activation, or None."""
    if isinstance(node.op, Input):
        return None
    try:
        found = node.op.result_type(graph.operand_types(node))
    except GraphError as error:
        return str(error)
    return None if found == node.type else f"the type should be {found} and is {node.type}"


def _lines_around(graph: Graph, fault: Node, context: int = 3) -> str:
    nodes = graph.nodes
    at = nodes.index(fault)
    lines = []
    for node in nodes[max(0, at - context) : at + context + 1]:
        name, kind, definition = print_node(node)
        lines.append(f"{'->' if node is fault else '  '} {name} : {kind} = {definition}")
    return "\n".join(lines)
