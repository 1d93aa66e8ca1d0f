"""Between which numbers the elements of values lie, as far as their operators say."""

from __future__ import annotations

from math import inf

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Operator
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.channel_map import ChannelMap
from netgen.ops.channel_pad import ChannelPad
from netgen.ops.channel_shuffle import ChannelShuffle
from netgen.ops.channel_slice import ChannelSlice
from netgen.ops.concat import Concat
from netgen.ops.dropout import Dropout
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.identity import Identity
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.pad import Pad
from netgen.ops.reshape import Reshape
from netgen.ops.spatial_slice import SpatialSlice
from netgen.ops.transpose import Transpose

Range = tuple[float, float]

_ACTIVATED: dict[str, Range] = {
    "relu": (0.0, inf),
    "relu6": (0.0, 6.0),
    "hard_swish": (-0.375, inf),
    "hard_sigmoid": (0.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
}
# Their elements are some of their operands', means of them, or zeros.
_KEEPING = (
    AvgPool2d, ChannelMap, ChannelPad, ChannelShuffle, ChannelSlice, Concat, Dropout, GlobalAvgPool,
    Identity, MaxPool2d, Pad, Reshape, SpatialSlice, Transpose,
)  # fmt: skip


def value_ranges(graph: Graph) -> dict[str, Range]:
    """Least and greatest element of every value; NaN is not considered."""
    ranges: dict[str, Range] = {}
    for node in graph.nodes:
        ranges[node.name] = _range(node, [ranges[name] for name in node.operands])
    return ranges


def _range(node: Node, operands: list[Range]) -> Range:
    if operands and leaves_alone(node.op, operands[0]):
        return operands[0]
    act = getattr(node.op, "act", node.op.operator_name)
    if act in _ACTIVATED:
        return _ACTIVATED[act]
    if isinstance(node.op, _KEEPING):
        return min(0.0, *(low for low, _ in operands)), max(0.0, *(high for _, high in operands))
    return -inf, inf


def leaves_alone(activation: Operator, values: Range) -> bool:
    """Whether an activation returns every element of this range as it is."""
    unchanged = {"relu": (0.0, inf), "relu6": (0.0, 6.0)}.get(activation.operator_name)
    return unchanged is not None and unchanged[0] <= values[0] and values[1] <= unchanged[1]
