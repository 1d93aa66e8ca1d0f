"""Keep states in the shape in which they are read."""

from __future__ import annotations

from dataclasses import replace

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import State
from netgen.ir.tensor_type import TensorType
from netgen.ops.reshape import Reshape


def reshape_state(graph: Graph) -> Graph:
    """Give a state the shape that all of its readers ask for.

    %s = state                          %s      = state
    %r = reshape(%s)                    %y      = f(%s)
    %y = f(%r)                    ->    %s.next = reshape(%z)
    next %s = %z                        next %s = %s.next

    So the rows that a convolution keeps from run to run can stand before new ones, as channels of
    one pixel: nothing is copied to join them. Its elements keep their order.
    """
    nodes: dict[str, Node] = {}
    renames: dict[str, str] = {}
    constants = {}
    following = dict(graph.next_values)
    for state in graph.states:
        kind = _asked(graph, state)
        if kind is None:
            continue
        assert isinstance(state.op, State)
        data = state.op.data
        if data in graph.constants:
            constants[data] = graph.constants[data].reshape(kind.shape)
        nodes[state.name] = replace(state, type=kind)
        renames |= {reader.name: state.name for reader in graph.users(state.name)}
        value = graph[following[state.name]]
        while value.op.view_of == "elements":
            value = graph[value.operands[0]]
        if value.name == state.name or value.type == kind:
            following[state.name] = value.name
            continue
        following[state.name] = name = graph.fresh_name(f"{state.name}.next")
        nodes[name] = Node(name, Reshape(kind.shape), (value.name,), kind, value.source)
    return graph.rewrite(nodes, constants, renames, following)


def _asked(graph: Graph, state: Node) -> TensorType | None:
    """The one type to which all readers reshape a state; None where there is none.

    A state that is an output, that another state becomes, or that shares its beginning with
    another one, stays what it is.
    """
    assert isinstance(state.op, State)
    shared = state.op.data and sum(node.op == state.op for node in graph.states) > 1
    results = [value for name, value in graph.next_values.items() if name != state.name]
    if shared or state.name in (*graph.outputs, *results):
        return None
    readers = graph.users(state.name)
    types = {reader.type for reader in readers}
    reshaped = all(reader.op.view_of == "elements" for reader in readers)
    return types.pop() if reshaped and len(types) == 1 else None
