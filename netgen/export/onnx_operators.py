"""Operators of netgen in terms of ONNX's: one function each, listed in MAPPINGS.

A function gives the stages through which the first operand flows. In ONNX every value of rank 4 is
channels first: NHWC activations become NCHW, OHWI weights OIHW, both by the same transposition.
Nothing here imports onnx.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from netgen.errors import GraphError
from netgen.export import onnx_resize
from netgen.export.onnx_stages import Attribute, Call, Stage, activation, written
from netgen.frontends.onnx_activations import ACTIVATIONS
from netgen.ir.operator import Operator
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.add import Add
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.channel_map import ChannelMap
from netgen.ops.channel_pad import ChannelPad
from netgen.ops.channel_shuffle import ChannelShuffle
from netgen.ops.channel_slice import ChannelSlice
from netgen.ops.concat import Concat
from netgen.ops.conv2d import Conv2d
from netgen.ops.depth_to_space import DepthToSpace, SpaceToDepth
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.dropout import Dropout
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.identity import Identity
from netgen.ops.linear import Linear
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.mirror_pad import MirrorPad
from netgen.ops.mul import Mul
from netgen.ops.pad import Pad
from netgen.ops.prelu import Prelu
from netgen.ops.reshape import Reshape
from netgen.ops.resize_bilinear import ResizeBilinear
from netgen.ops.resize_nearest import ResizeNearest
from netgen.ops.softmax import Softmax
from netgen.ops.spatial_slice import SpatialSlice
from netgen.ops.sub import Sub
from netgen.ops.transpose import Transpose
from netgen.ops.transpose_conv2d import TransposeConv2d
from netgen.ops.window import Window

TO_CHANNELS_FIRST = (0, 3, 1, 2)
TO_CHANNELS_LAST = (0, 2, 3, 1)

Mapping: TypeAlias = "Callable[[Any, Call], list[Stage]]"


def add(op: Add, call: Call) -> list[Stage]:
    """Add; one number per channel is broadcast there as well."""
    return [Stage("Add", call.rest), *activation(op.act)]


def avg_pool2d(op: AvgPool2d, call: Call) -> list[Stage]:
    """AveragePool; where only a part of the padding counts, that part is a Pad of its own."""
    window = _used_window(op.window(), call)
    top, bottom, left, right = op.counted
    if op.counted == op.pad:
        return [_pooling("AveragePool", window, {"count_include_pad": int(any(op.pad))})]
    rest = [max(side - part, 0) for side, part in zip(window.pad, op.counted, strict=True)]
    window = replace(window, pad=(rest[0], rest[1], rest[2], rest[3]))
    stages = [_zeros((0, 0, top, left), (0, 0, bottom, right))] if any(op.counted) else []
    return [*stages, _pooling("AveragePool", window, {})]


def batch_norm(op: BatchNorm, call: Call) -> list[Stage]:
    """BatchNormalization, whose channels are axis 1: the last axis of ranks 2 and 4 only."""
    x = call.types[0]
    stage = Stage("BatchNormalization", call.rest, {"epsilon": op.eps})
    if len(x.shape) in (2, 4):
        return [stage]
    return [_reshape((-1, x.shape[-1])), stage, _reshape(x.shape)]


def channel_map(op: ChannelMap, call: Call) -> list[Stage]:
    """Concat, a Pad by one channel where the map has zeros, and a Gather unless in this order."""
    axis, rank = _channel_axis(call.result.shape), len(call.result.shape)
    read, channels = op.sources()
    first = np.cumsum([0, *(operand.shape[-1] for operand in call.types)])
    stages = [Stage("Concat", call.rest, {"axis": axis})] if call.rest else []
    if (read < 0).any():
        one = [int(place == axis) for place in range(rank)]
        stages.append(_zeros([0] * rank, one))
    # Index -1 is the last entry of `first`: where the zeros stand.
    indices = first[read] + channels
    if not stages or not np.array_equal(indices, np.arange(first[-1] + (read < 0).any())):
        stages.append(Stage("Gather", (indices,), {"axis": axis}))
    return stages


def channel_pad(op: ChannelPad, call: Call) -> list[Stage]:
    """Pad of the axis of channels."""
    axis, rank = _channel_axis(call.types[0].shape), len(call.types[0].shape)
    front, back = ([0] * rank for _ in range(2))
    front[axis], back[axis] = op.front, op.back
    return [_zeros(front, back)]


def channel_shuffle(op: ChannelShuffle, call: Call) -> list[Stage]:
    """Reshape to groups and their channels, Transpose of the two, Reshape back."""
    shape = channels_first(call.result.shape)
    axis = _channel_axis(shape)
    grouped = (*shape[:axis], op.groups, shape[axis] // op.groups, *shape[axis + 1 :])
    perm = list(range(len(grouped)))
    perm[axis], perm[axis + 1] = axis + 1, axis
    return [_reshape(grouped), Stage("Transpose", (), {"perm": perm}), _reshape(shape)]


def channel_slice(op: ChannelSlice, call: Call) -> list[Stage]:
    """Slice of the axis of channels."""
    end = op.first + (op.length - 1) * op.step + 1
    return [_slice((op.first,), (end,), (_channel_axis(call.types[0].shape),), (op.step,))]


def concat(_op: Concat, call: Call) -> list[Stage]:
    """Concat along the axis of channels."""
    return [Stage("Concat", call.rest, {"axis": _channel_axis(call.result.shape)})]


def conv2d(op: Conv2d, call: Call) -> list[Stage]:
    """Conv, then the addition of the residual, then the activation."""
    weights, residual = call.rest[:2], call.rest[2:]
    stages = [_convolution(op, op.groups, weights, call)]
    if residual:
        stages.append(Stage("Add", residual))
    return [*stages, *activation(op.act)]


def depthwise_conv2d(op: DepthwiseConv2d, call: Call) -> list[Stage]:
    """Conv with one group per input channel; a group's outputs are its multiplier's, as here."""
    groups = call.types[0].shape[3]
    return [_convolution(op, groups, call.rest, call), *activation(op.act)]


def _convolution(
    op: Conv2d | DepthwiseConv2d, groups: int, weights: tuple[str, ...], call: Call
) -> Stage:
    top, bottom, left, right = op.pad
    attributes: dict[str, Attribute] = {
        "kernel_shape": call.types[1].shape[1:3],
        "strides": op.stride,
        "pads": (top, left, bottom, right),
        "dilations": op.dilation,
        "group": groups,
    }
    return Stage("Conv", weights, attributes)


def global_avg_pool(_op: GlobalAvgPool, _call: Call) -> list[Stage]:
    """GlobalAveragePool."""
    return [Stage("GlobalAveragePool")]


def identity(_op: Identity | Dropout, _call: Call) -> list[Stage]:
    """Identity; dropout at inference is nothing else."""
    return [Stage("Identity")]


def linear(op: Linear, call: Call) -> list[Stage]:
    """Gemm with the weights as [O,C]."""
    return [Stage("Gemm", call.rest, {"transB": 1}), *activation(op.act)]


def max_pool2d(op: MaxPool2d, call: Call) -> list[Stage]:
    """MaxPool."""
    return [_pooling("MaxPool", _used_window(op.window(), call), {})]


def mul(op: Mul, call: Call) -> list[Stage]:
    """Mul; one number per channel is broadcast there as well."""
    return [Stage("Mul", call.rest), *activation(op.act)]


def pad(op: Pad, _call: Call) -> list[Stage]:
    """Pad of rows and columns."""
    top, bottom, left, right = op.pad
    stage = _zeros((0, 0, top, left), (0, 0, bottom, right))
    if op.value == 0.0:
        return [stage]
    return [replace(stage, inputs=(*stage.inputs, np.array(op.value, np.float32)))]


def mirror_pad(op: MirrorPad, _call: Call) -> list[Stage]:
    """Pad by reflection; raises GraphError for what ONNX has no mode for."""
    if op.mode != "reflect":
        raise GraphError(f"mirror_pad of mode {op.mode} cannot be exported to ONNX")
    top, bottom, left, right = op.pad
    return [
        replace(_zeros((0, 0, top, left), (0, 0, bottom, right)), attributes={"mode": "reflect"})
    ]


def _zeros(front: Sequence[int], back: Sequence[int]) -> Stage:
    """Pad; ONNX lists the beginnings of all axes, then the ends. Its default value is zero."""
    return Stage("Pad", (np.array([*front, *back], np.int64),))


def _used_window(window: Window, call: Call) -> Window:
    """The window without padding that it never reaches, which ONNX Runtime refuses."""
    sides = list(window.pad)
    for axis in (0, 1):
        last = (call.result.shape[1 + axis] - 1) * window.stride[axis] + window.size[axis]
        sides[2 * axis + 1] = max(last - call.types[0].shape[1 + axis] - window.pad[2 * axis], 0)
    return replace(window, pad=(sides[0], sides[1], sides[2], sides[3]))


def _pooling(operator: str, window: Window, attributes: dict[str, Attribute]) -> Stage:
    top, bottom, left, right = window.pad
    geometry: dict[str, Attribute] = {
        "kernel_shape": window.size,
        "strides": window.stride,
        "pads": (top, left, bottom, right),
    }
    return Stage(operator, (), geometry | attributes)


def _channel_axis(shape: tuple[int, ...]) -> int:
    """The axis of channels: 1 of rank 4, otherwise the last."""
    return 1 if len(shape) == 4 else len(shape) - 1


def _slice(
    first: Sequence[int], end: Sequence[int], axes: Sequence[int], step: Sequence[int]
) -> Stage:
    return Stage("Slice", tuple(np.array(part, np.int64) for part in (first, end, axes, step)))


def reshape(op: Reshape, call: Call) -> list[Stage]:
    """Reshape; through NHWC where the order of the elements depends on it."""
    stages = []
    if _order_differs(call.types[0].shape):
        stages.append(Stage("Transpose", (), {"perm": TO_CHANNELS_LAST}))
    if _order_differs(op.shape):
        stages += [_reshape(op.shape), Stage("Transpose", (), {"perm": TO_CHANNELS_FIRST})]
    else:
        stages.append(_reshape(channels_first(op.shape)))
    return stages


def transpose(op: Transpose, _call: Call) -> list[Stage]:
    """Transpose; between values of rank 4 with the axes as ONNX has them."""
    axes = op.axes
    if len(axes) == 4:
        axes = tuple(TO_CHANNELS_LAST[axes[axis]] for axis in TO_CHANNELS_FIRST)
    return [Stage("Transpose", (), {"perm": axes})]


def _order_differs(shape: tuple[int, ...]) -> bool:
    """Whether NHWC and NCHW hold the elements of an NHWC shape in different orders."""
    return len(shape) == 4 and shape[1] * shape[2] > 1 and shape[3] > 1


def channels_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Give a shape as ONNX has it: NCHW for rank 4, unchanged otherwise."""
    return tuple(shape[axis] for axis in TO_CHANNELS_FIRST) if len(shape) == 4 else shape


def _reshape(shape: tuple[int, ...]) -> Stage:
    return Stage("Reshape", (np.array(shape, np.int64),))


def prelu(op: Prelu, call: Call) -> list[Stage]:
    """PRelu; one slope per channel is broadcast there as well."""
    return [Stage("PRelu", call.rest), *activation(op.act)]


def softmax(op: Softmax, call: Call) -> list[Stage]:
    """Softmax along the axis of channels, of what is multiplied by beta."""
    stages = [] if op.beta == 1.0 else [Stage("Mul", (np.array(op.beta, np.float32),))]
    return [*stages, Stage("Softmax", (), {"axis": _channel_axis(call.result.shape)})]


def sub(op: Sub, call: Call) -> list[Stage]:
    """Sub; one number per channel is broadcast there as well."""
    return [Stage("Sub", call.rest), *activation(op.act)]


def spatial_slice(op: SpatialSlice, _call: Call) -> list[Stage]:
    """Slice of rows and columns."""
    end = [f + (n - 1) * s + 1 for f, n, s in zip(op.first, op.size, op.stride, strict=True)]
    return [_slice(op.first, end, (2, 3), op.stride)]


def elementwise(op: ElementwiseActivation, _call: Call) -> list[Stage]:
    """An activation by itself."""
    return written(op)


MAPPINGS: dict[type[Operator], Mapping] = {
    **{activation.kind: elementwise for activation in ACTIVATIONS},
    Add: add,
    AvgPool2d: avg_pool2d,
    BatchNorm: batch_norm,
    ChannelMap: channel_map,
    ChannelPad: channel_pad,
    ChannelShuffle: channel_shuffle,
    ChannelSlice: channel_slice,
    Concat: concat,
    Conv2d: conv2d,
    DepthToSpace: onnx_resize.depth_to_space,
    DepthwiseConv2d: depthwise_conv2d,
    Dropout: identity,
    GlobalAvgPool: global_avg_pool,
    Identity: identity,
    Linear: linear,
    MaxPool2d: max_pool2d,
    MirrorPad: mirror_pad,
    Mul: mul,
    Pad: pad,
    Prelu: prelu,
    Reshape: reshape,
    ResizeBilinear: onnx_resize.resize_bilinear,
    ResizeNearest: onnx_resize.resize_nearest,
    Softmax: softmax,
    SpaceToDepth: onnx_resize.space_to_depth,
    SpatialSlice: spatial_slice,
    Sub: sub,
    Transpose: transpose,
    TransposeConv2d: onnx_resize.transpose_conv2d,
}
