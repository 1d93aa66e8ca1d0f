"""Keep states in the shape in which they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Operator, State
from netgen.ir.tensor_type import TensorType
from netgen.ops.channel_slice import ChannelSlice
from netgen.ops.reshape import Reshape
from netgen.ops.spatial_slice import SpatialSlice


def reshape_state(graph: Graph) -> Graph:
    """Give a state the shape that all of its readers ask for.

    %s = state                          %s      = state
    %r = reshape(%s)                    %y      = f(%s)
    %y = f(%r)                    ->    %z.flat = reshape(%z)
    next %s = %z                        next %s = %z.flat

    So the rows that a convolution keeps from run to run can stand before new ones, as channels of
    one pixel: nothing is copied to join them. Where the state becomes the last rows of both, these
    are channels, too:

    %i = reshape(%c)
    %z = spatial_slice(%i)        ->    %z.flat = channel_slice(%c)
    next %s = %z                        next %s = %z.flat
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
        value = _before_reshapes(graph, graph[following[state.name]])
        if value.name == state.name or value.type == kind:
            following[state.name] = value.name
            continue
        op, operand = _flat_rows(graph, value, kind) or (Reshape(kind.shape), value.name)
        following[state.name] = name = graph.fresh_name(f"{value.name}.flat")
        nodes[name] = Node(name, op, (operand,), kind, value.source)
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


def _before_reshapes(graph: Graph, value: Node) -> Node:
    """The value whose elements a value shows by reshapes."""
    while value.op.view_of == "elements":
        value = graph[value.operands[0]]
    return value


def _flat_rows(graph: Graph, value: Node, kind: TensorType) -> tuple[Operator, str] | None:
    """Whole rows of an image that is a reshape of channels, as channels; None for other values."""
    op = value.op
    if not isinstance(op, SpatialSlice):
        return None
    image = graph[value.operands[0]]
    source = _before_reshapes(graph, image)
    row = image.type.elements // image.type.shape[1]
    if not (_is_flat(source.type.shape) and _is_flat(kind.shape)):
        return None
    if (op.stride[0] != 1 and op.size[0] > 1) or value.type.shape[2:] != image.type.shape[2:]:
        return None
    return ChannelSlice(op.first[0] * row, op.size[0] * row), source.name


def _is_flat(shape: Sequence[int]) -> bool:
    return len(shape) == 2 and shape[0] == 1
