"""Fold whatever moves channels into channel maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Operator
from netgen.ops.channel_map import ChannelMap, channel_map_op

# One channel of a value that no map computes; zeros are those of no value.
Channel = tuple[str, int]
ZERO: Channel = ("", 0)


def fold_channel_shuffle(graph: Graph) -> Graph:
    """Compose operators that only move channels into one map, over values that are computed.

    %c = concat(%a, %b)                         %y = channel_map(%a, %b)
    %y = channel_shuffle(%c) {groups=2}    ->          {channels="(x0[0:8]|x1[0:8])"}

    So are channel_slice, channel_pad and maps of maps. A map that gives a value as it is
    disappears, as drop_identities lets identities disappear; what nobody reads is left out.
    """
    channels: dict[str, list[Channel]] = {}
    pixels: dict[str, str] = {}
    nodes: dict[str, Node] = {}
    renames: dict[str, str] = {}
    for node in graph.activations:
        if node.op.view_of != "channels":
            continue
        operands = [channels.get(name) or _all_channels(graph, name) for name in node.operands]
        channels[node.name] = moved = _moved(node.op, operands)
        pixels[node.name] = pixels.get(node.operands[0], node.operands[0])
        value = moved[0][0]
        # A constant cannot be an output, nor what a state becomes.
        wanted = node.name in graph.results and value and graph.is_const(value)
        if value and not wanted and moved == _all_channels(graph, value):
            renames[node.name] = value
        elif _is_read(graph, node):
            nodes[node.name] = _map(node, moved, pixels[node.name])
    return graph.rewrite(nodes, renames=renames)


def _is_read(graph: Graph, node: Node) -> bool:
    """Whether anything but maps, which read its operands instead, needs a value."""
    users = graph.users(node.name)
    return node.name in graph.results or any(user.op.view_of != "channels" for user in users)


def _all_channels(graph: Graph, name: str) -> list[Channel]:
    return [(name, channel) for channel in range(graph[name].type.shape[-1])]


def _moved(op: Operator, operands: Sequence[list[Channel]]) -> list[Channel]:
    """The channels of the result in terms of the operands'."""
    read, channels = op.channel_sources([len(operand) for operand in operands])
    pairs = zip(read.tolist(), channels.tolist(), strict=True)
    return [ZERO if n < 0 else operands[n][channel] for n, channel in pairs]


def _map(node: Node, moved: Sequence[Channel], pixels: str) -> Node:
    """A map with these channels; of nothing but zeros, of as many pixels as the given value."""
    values = [name for name in dict.fromkeys(name for name, _ in moved) if name]
    # The map's text is easiest to read if it names its operands in their order.
    values = [values[n] for n in _map_op(moved, values).named()]
    return replace(node, op=_map_op(moved, values), operands=tuple(values) or (pixels,))


def _map_op(moved: Sequence[Channel], values: Sequence[str]) -> ChannelMap:
    place = {name: n for n, name in enumerate(values)}
    return channel_map_op([(place.get(name, -1), channel) for name, channel in moved])
