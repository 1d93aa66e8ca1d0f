"""Layers with weights: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED."""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.dilated import dealt_again, dilated
from netgen.frontends.tflite.faults import UnsupportedError
from netgen.frontends.tflite.learned import Array, Learned
from netgen.frontends.tflite.window import stride_of, window_padding
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.linear import Linear

_FROM_1RSO = (3, 1, 2, 0)


def conv_2d(call: Call) -> TensorView:
    """CONV_2D -> conv2d, or depthwise_conv2d where every channel is its own group.

    Weights are [O,R,S,I]. There are groups where the weights have fewer inputs than the image.
    """
    w = call.weights(1, "the weights")
    channels, inputs = _channels(call, w.array), w.array.shape[3]
    if channels % inputs:
        raise GraphError(
            "the weights do not fit",
            expected=f"a divisor of {channels} input channels",
            found=str(inputs),
        )
    groups = channels // inputs
    pad, dilation = _padding(call, w.array)
    if groups == channels > 1:
        return _convolved(call, DepthwiseConv2d(stride_of(call), pad, dilation), w)
    return _convolved(call, Conv2d(stride_of(call), pad, dilation, groups), w)


def depthwise_conv_2d(call: Call) -> TensorView:
    """DEPTHWISE_CONV_2D -> depthwise_conv2d; weights are [1,R,S,C*m].

    The multiplier is that of the shapes. Source: TensorFlow Lite, `depthwise_conv.cc`, Prepare,
    which ignores the option.
    """
    w = call.weights(1, "the weights", axis=-1)
    _channels(call, w.array)
    if w.array.shape[0] != 1:
        raise GraphError(
            "the weights do not fit", expected="[1,R,S,C]", found=str(list(w.array.shape))
        )
    turned = w.turned(w.array.transpose(_FROM_1RSO))
    pad, dilation = _padding(call, turned.array)
    return _convolved(call, DepthwiseConv2d(stride_of(call), pad, dilation), turned)


def _channels(call: Call, w: Array) -> int:
    """Number of channels of the image; raises GraphError where it or the weights are none."""
    x = call.tensor()
    if len(x.shape) != 4 or w.ndim != 4 or not w.size:
        raise GraphError(
            "only convolutions over images are supported",
            expected="[1,H,W,C] and weights of four axes",
            found=f"{list(x.shape)} and {list(w.shape)}",
        )
    return x.shape[3]


def _padding(call: Call, w: Array) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
    """Padding and dilation of weights [O,R,S,I]."""
    dilation = call.integer("DilationHFactor"), call.integer("DilationWFactor")
    pad = window_padding(call, (w.shape[1], w.shape[2]), dilation)
    return pad, dilation


def _convolved(call: Call, op: Conv2d | DepthwiseConv2d, w: Learned) -> TensorView:
    """The convolution of the image by weights [O,R,S,I].

    Source: TensorFlow Lite, `conv.cc` and `depthwise_conv.cc`, Prepare: int8 weights have no zero
    point. The product of the scales of uint8 is one of float32 (`kernel_util.cc`,
    GetQuantizedConvolutionMultipler).
    """
    if w.zero and w.array.dtype == np.int8:
        raise GraphError("int8 weights with a zero point", expected="0", found=str(w.zero))
    rounding = "fixed32" if w.array.dtype == np.uint8 else "fixed"
    if is_wide(call, call.tensor()):
        rounding = "wide"
    bias, dealt = (
        bias_of(call, call.tensor(), w.array.shape[0]),
        call.builder.dealt_to(call.tensor()),
    )
    if dealt is not None:
        y = call.emit_weighted(dilated(dealt, op), dealt.image, w, bias, rounding)
        return dealt_again(call, dealt, y)
    y = call.emit_weighted(op, call.builder.image(call.tensor()), w, bias, rounding)
    return row_major(y, call.builder.shape(y))


def bias_of(call: Call, x: TensorView, outputs: int, index: int = 2) -> list[str]:
    """The bias as an operand, if there is one: of floats, or int32 beside codes x of 8 bits.

    Beside codes of 16 bits it is int64, of numbers that fit into int32: beside one of int32
    LiteRT's sums overflow.
    """
    if call.given(index) is None:
        return []
    array, tensor = call.known(index, "the bias"), call.read[index]
    assert tensor is not None  # it is known
    if array.size != outputs:
        raise GraphError(
            "the bias does not fit", expected=f"{outputs} numbers", found=str(list(array.shape))
        )
    if is_wide(call, x):
        return [call.builder.sums(tensor.name, _whole(array).reshape(-1))]
    if array.dtype == np.int32 and not call.builder.kind(x).element.is_float:
        return [call.builder.sums(tensor.name, array.reshape(-1))]
    b = call.weights(index, "the bias")
    return [call.builder.learned(b.dequantised().turned(b.array.reshape(-1)))]


def is_wide(call: Call, x: TensorView) -> bool:
    """Whether x is of codes of 16 bits; raises UnsupportedError where they have a zero point."""
    kind = call.builder.kind(x)
    if kind.dtype == "i16" and kind.zero:
        raise UnsupportedError("not supported of i16 around another number than zero")
    return kind.dtype == "i16"


def _whole(bias: Array) -> npt.NDArray[np.int32]:
    """A bias of int64 in 32 bits; raises WeightsError for other ones."""
    if bias.dtype != np.int64 or (bias != bias.astype(np.int32)).any():
        raise WeightsError(
            "the bias beside activations of int16 is none that netgen reads",
            expected="int64, of numbers that fit into 32 bits",
            found=str(bias.dtype),
        )
    return bias.astype(np.int32)


def fully_connected(call: Call) -> TensorView:
    """FULLY_CONNECTED over what is flattened to rows of as many numbers as the weights have.

    One row -> linear, several -> a convolution of 1 x 1. Source: TensorFlow Lite,
    `fully_connected.cc`, Prepare: with `keep_num_dims` the last axis alone is replaced.
    """
    x = call.tensor()
    learned = call.weights(1, "the weights")
    w = learned.array
    if call.integer("WeightsFormat"):
        raise GraphError("shuffled weights are not supported")
    if w.ndim != 2 or not w.size or prod(x.shape) % w.shape[1]:
        raise GraphError(
            "the operand does not fit the weights",
            expected="weights [O,I], and a multiple of I numbers",
            found=f"{list(w.shape)} and {list(x.shape)}",
        )
    outputs, inputs = w.shape
    rows = prod(x.shape) // inputs
    shape: tuple[int, ...] = (rows, outputs)
    if call.integer("KeepNumDims"):
        if x.shape[-1:] != (inputs,):
            raise GraphError(
                "the last axis does not fit the weights",
                expected=str(inputs),
                found=f"{list(x.shape)}",
            )
        shape = (*x.shape[:-1], outputs)
    if rows == 1:
        return row_major(_linear(call, x, learned), shape)
    image = call.builder.image(call.builder.reshaped(x, (1, 1, rows, inputs)))
    turned = learned.turned(w.reshape(outputs, 1, 1, inputs))
    rounding = _rounding(call, x, learned)
    y = call.emit_weighted(Conv2d(), image, turned, bias_of(call, x, outputs), rounding)
    return call.builder.reshaped(row_major(y, call.builder.shape(y)), shape)


def _linear(call: Call, x: TensorView, learned: Learned) -> str:
    """Multiply the elements in whatever order they are stored: the weights follow."""
    order, w = x.order, learned.array
    axes = (0, *(1 + order.index(atom) for atom in x.storage))
    turned = w.reshape(w.shape[0], *(atom.size for atom in order)).transpose(axes).reshape(w.shape)
    vector = call.builder.stored(x, x.storage, (1, w.shape[1]))
    bias, rounding = bias_of(call, x, w.shape[0]), _rounding(call, x, learned)
    return call.emit_weighted(Linear(), vector, learned.turned(turned), bias, rounding)


def _rounding(call: Call, x: TensorView, w: Learned) -> str:
    """The rounding of sums of a fully connected layer of codes.

    Sources: LiteRT, `reference/integer_ops/fully_connected.h`: in float64. TensorFlow Lite Micro,
    `fully_connected_common.cc`: in fixed point, with one scale by a product of float32.
    """
    if call.profile == "litert":
        return "real"
    if is_wide(call, x):
        return "wide"
    return "fixed32" if len(w.scales) == 1 else "fixed"
