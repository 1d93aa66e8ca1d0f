"""Operators of netgen in terms of TensorFlow Lite's: one function each, listed in MAPPINGS.

A function gives the stages through which the first operand flows. Nothing here imports LiteRT.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from netgen.errors import GraphError
from netgen.export.tflite_stages import (
    Call,
    Codes,
    Operand,
    Stage,
    activated,
    activation_stages,
    int32,
    is_same,
    pad_stage,
    padding_stages,
    reshape_stage,
    slice_stage,
    transpose_stage,
)
from netgen.frontends.onnx_activations import ACTIVATIONS
from netgen.ir.operator import Operator
from netgen.ops.activation import ElementwiseActivation, find_activation
from netgen.ops.add import Add
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.channel_pad import ChannelPad
from netgen.ops.channel_shuffle import ChannelShuffle
from netgen.ops.channel_slice import ChannelSlice
from netgen.ops.concat import Concat
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.dequantize import Dequantize
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.linear import Linear
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.mul import Mul
from netgen.ops.pad import Pad
from netgen.ops.prelu import Prelu
from netgen.ops.quantize import Quantize
from netgen.ops.reshape import Reshape
from netgen.ops.softmax import Softmax
from netgen.ops.spatial_slice import SpatialSlice
from netgen.ops.sub import Sub
from netgen.ops.transpose import Transpose
from netgen.ops.window import Window


def add(op: Add, call: Call) -> list[Stage]:
    """ADD, which broadcasts as netgen does."""
    return activated(op.act, "ADD", call.result.shape, call.rest, "AddOptions")


def mul(op: Mul, call: Call) -> list[Stage]:
    """MUL, which broadcasts as netgen does."""
    return activated(op.act, "MUL", call.result.shape, call.rest, "MulOptions")


def batch_norm(op: BatchNorm, call: Call) -> list[Stage]:
    """MUL and ADD of what is left of the statistics."""
    gamma, beta, mean, var = (call.constant(name).astype(np.float64) for name in call.rest)
    factor = gamma / np.sqrt(var + op.eps)
    shift = (beta - mean * factor).astype(np.float32)
    shape = call.result.shape
    return [
        Stage("MUL", shape, (factor.astype(np.float32),), "MulOptions"),
        Stage("ADD", shape, (shift,), "AddOptions"),
    ]


def conv2d(op: Conv2d, call: Call) -> list[Stage]:
    """CONV_2D, groups and all; then the addition of the residual with the activation."""
    w, *rest = call.rest
    bias, residual = bias_of(call), rest[1:]
    act = "none" if residual else op.act
    stages = _windowed(op.window(call.types[1].shape), call, "CONV_2D", (w, bias), act, {})
    if residual:
        shape = call.result.shape
        stages += activated(op.act, "ADD", shape, tuple(residual), "AddOptions")
    return stages


def depthwise_conv2d(op: DepthwiseConv2d, call: Call) -> list[Stage]:
    """DEPTHWISE_CONV_2D, whose weights are [1,R,S,C*m]."""
    w = call.rest[0]
    turned: Operand = np.ascontiguousarray(call.constant(w).transpose(3, 1, 2, 0))
    if call.of_codes:
        turned = Codes(np.asarray(turned), call.scales(call.types[1]), call.types[1].zero, axis=3)
    window = op.window(call.types[1].shape)
    multiplier = {"depthMultiplier": call.result.shape[3] // call.types[0].shape[3]}
    return _windowed(window, call, "DEPTHWISE_CONV_2D", (turned, bias_of(call)), op.act, multiplier)


def bias_of(call: Call) -> Operand:
    """The bias as an operand: of codes with its scale, zeros where there is none.

    Beside codes of 16 bits it is int64, as TensorFlow Lite has it.
    """
    rest = call.rest[1:2]
    if not call.of_codes:
        return rest[0] if rest else np.zeros(call.result.shape[-1], np.float32)
    scales = np.ravel(call.scales(call.types[0])) * call.scales(call.types[1])
    whole = call.constant(rest[0]) if rest else np.zeros(call.result.shape[-1], np.int32)
    kind = np.int64 if call.types[0].dtype == "i16" else np.int32
    return Codes(np.asarray(whole, kind), scales)


def _windowed(
    window: Window,
    call: Call,
    operator: str,
    weights: tuple[Operand, ...],
    act: str,
    values: Mapping[str, object],
) -> list[Stage]:
    padding, stages = padding_stages(window, call)
    options = {"CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions"}
    geometry = {
        "padding": padding,
        "strideH": window.stride[0],
        "strideW": window.stride[1],
        "dilationHFactor": window.dilation[0],
        "dilationWFactor": window.dilation[1],
        **values,
    }
    shape = call.result.shape
    return [*stages, *activated(act, operator, shape, weights, options[operator], geometry)]


def avg_pool2d(op: AvgPool2d, call: Call) -> list[Stage]:
    """AVERAGE_POOL_2D, whose own padding does not count; what counts is a PAD before."""
    window = op.window()
    counts = any(op.counted)
    if op.counted != op.pad if counts else any(op.pad) and not is_same(window, call):
        raise GraphError(
            "TensorFlow Lite has no average over windows that are padded like this",
            expected="all of the padding to count, or none of it and to be TensorFlow's `same`",
            found=f"pad {op.pad}, counted {op.counted}",
        )
    padding, stages = padding_stages(window, call, may_be_same=not counts)
    return [*stages, _pool("AVERAGE_POOL_2D", window, padding, call)]


def max_pool2d(op: MaxPool2d, call: Call) -> list[Stage]:
    """MAX_POOL_2D; what pads it otherwise than SAME is the smallest number there is."""
    padding, stages = padding_stages(op.window(), call, float(np.finfo(np.float32).min))
    return [*stages, _pool("MAX_POOL_2D", op.window(), padding, call)]


def _pool(operator: str, window: Window, padding: int, call: Call) -> Stage:
    geometry = {
        "padding": padding,
        "strideH": window.stride[0],
        "strideW": window.stride[1],
        "filterHeight": window.size[0],
        "filterWidth": window.size[1],
    }
    return Stage(operator, call.result.shape, (), "Pool2DOptions", geometry)


def channel_pad(op: ChannelPad, call: Call) -> list[Stage]:
    """PAD of the last axis."""
    others = [(0, 0)] * (len(call.result.shape) - 1)
    return [pad_stage(call.result.shape, [*others, (op.front, op.back)])]


def channel_shuffle(op: ChannelShuffle, call: Call) -> list[Stage]:
    """RESHAPE to groups and their channels, TRANSPOSE of the two, RESHAPE back."""
    shape = call.result.shape
    pixels, count = shape[:-1], shape[-1] // op.groups
    rank = len(pixels)
    return [
        reshape_stage((*pixels, op.groups, count)),
        transpose_stage((*pixels, count, op.groups), (*range(rank), rank + 1, rank)),
        reshape_stage(shape),
    ]


def channel_slice(op: ChannelSlice, call: Call) -> list[Stage]:
    """SLICE of the last axis, or STRIDED_SLICE."""
    zeros, ones = [0] * (len(call.result.shape) - 1), [1] * (len(call.result.shape) - 1)
    return [slice_stage(call.result.shape, (*zeros, op.first), (*ones, op.step))]


def spatial_slice(op: SpatialSlice, call: Call) -> list[Stage]:
    """SLICE of rows and columns, or STRIDED_SLICE."""
    return [slice_stage(call.result.shape, (0, *op.first, 0), (1, *op.stride, 1))]


def concat(_op: Concat, call: Call) -> list[Stage]:
    """CONCATENATION along the last axis."""
    axis = {"axis": len(call.result.shape) - 1}
    return [Stage("CONCATENATION", call.result.shape, call.rest, "ConcatenationOptions", axis)]


def global_avg_pool(_op: GlobalAvgPool, call: Call) -> list[Stage]:
    """MEAN over rows and columns."""
    return [Stage("MEAN", call.result.shape, (int32(1, 2),), "ReducerOptions", {"keepDims": True})]


def linear(op: Linear, call: Call) -> list[Stage]:
    """FULLY_CONNECTED."""
    operands = (call.rest[0], bias_of(call))
    return activated(
        op.act, "FULLY_CONNECTED", call.result.shape, operands, "FullyConnectedOptions"
    )


def quantize(_op: Quantize, call: Call) -> list[Stage]:
    """QUANTIZE, of floats and of other codes."""
    return [Stage("QUANTIZE", call.result.shape)]


def dequantize(_op: Dequantize, call: Call) -> list[Stage]:
    """DEQUANTIZE."""
    return [Stage("DEQUANTIZE", call.result.shape)]


def pad(op: Pad, call: Call) -> list[Stage]:
    """PAD of rows and columns, or PADV2."""
    top, bottom, left, right = op.pad
    sides = [(0, 0), (top, bottom), (left, right), (0, 0)]
    return [pad_stage(call.result.shape, sides, op.value)]


def elementwise(op: ElementwiseActivation, call: Call) -> list[Stage]:
    """An activation by itself."""
    return activation_stages(op, call.result.shape)


def reshape(op: Reshape, _call: Call) -> list[Stage]:
    """RESHAPE."""
    return [reshape_stage(op.shape)]


def prelu(op: Prelu, call: Call) -> list[Stage]:
    """PRELU, which broadcasts as netgen does."""
    act, shape = find_activation(op.act), call.result.shape
    stage = Stage("PRELU", shape, call.rest)
    return [stage] if act is None else [stage, *activation_stages(act, shape)]


def softmax(op: Softmax, call: Call) -> list[Stage]:
    """SOFTMAX over the last axis."""
    return [Stage("SOFTMAX", call.result.shape, (), "SoftmaxOptions", {"beta": op.beta})]


def sub(op: Sub, call: Call) -> list[Stage]:
    """SUB, which broadcasts as netgen does."""
    return activated(op.act, "SUB", call.result.shape, call.rest, "SubOptions")


def transpose(op: Transpose, call: Call) -> list[Stage]:
    """TRANSPOSE."""
    return [transpose_stage(call.result.shape, op.axes)]


MAPPINGS: dict[type[Operator], Callable[[Any, Call], list[Stage]]] = {
    **{activation.kind: elementwise for activation in ACTIVATIONS},
    Add: add,
    AvgPool2d: avg_pool2d,
    BatchNorm: batch_norm,
    ChannelPad: channel_pad,
    ChannelShuffle: channel_shuffle,
    ChannelSlice: channel_slice,
    Concat: concat,
    Conv2d: conv2d,
    DepthwiseConv2d: depthwise_conv2d,
    GlobalAvgPool: global_avg_pool,
    Dequantize: dequantize,
    Linear: linear,
    MaxPool2d: max_pool2d,
    Mul: mul,
    Pad: pad,
    Prelu: prelu,
    Quantize: quantize,
    Reshape: reshape,
    Softmax: softmax,
    SpatialSlice: spatial_slice,
    Sub: sub,
    Transpose: transpose,
}
