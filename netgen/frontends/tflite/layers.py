"""Layers with weights: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED."""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.window import stride_of, window_padding
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.linear import Linear
from netgen.ops.window import Sliding

Weights = npt.NDArray[np.float32]

_FROM_1RSO = (3, 1, 2, 0)


def conv_2d(call: Call) -> TensorView:
    """CONV_2D -> conv2d, or depthwise_conv2d where every channel is its own group.

    Weights are [O,R,S,I]. There are groups where the weights have fewer inputs than the image.
    """
    name, w = call.weights(1, "the weights")
    channels = _channels(call, w)
    if channels % w.shape[3]:
        raise GraphError(
            "the weights do not fit",
            expected=f"a divisor of {channels} input channels",
            found=str(w.shape[3]),
        )
    groups = channels // w.shape[3]
    pad, dilation = _padding(call, w)
    if groups == channels > 1:
        return _convolved(call, DepthwiseConv2d(stride_of(call), pad, dilation), name, w)
    return _convolved(call, Conv2d(stride_of(call), pad, dilation, groups), name, w)


def depthwise_conv_2d(call: Call) -> TensorView:
    """DEPTHWISE_CONV_2D -> depthwise_conv2d; weights are [1,R,S,C*m].

    The multiplier is that of the shapes. Source: TensorFlow Lite, `depthwise_conv.cc`, Prepare,
    which ignores the option.
    """
    name, w = call.weights(1, "the weights")
    _channels(call, w)
    if w.shape[0] != 1:
        raise GraphError("the weights do not fit", expected="[1,R,S,C]", found=str(list(w.shape)))
    w = w.transpose(_FROM_1RSO)
    pad, dilation = _padding(call, w)
    return _convolved(call, DepthwiseConv2d(stride_of(call), pad, dilation), name, w)


def _channels(call: Call, w: Weights) -> int:
    """Number of channels of the image; raises GraphError where it or the weights are none."""
    x = call.tensor()
    if len(x.shape) != 4 or w.ndim != 4 or not w.size:
        raise GraphError(
            "only convolutions over images are supported",
            expected="[1,H,W,C] and weights of four axes",
            found=f"{list(x.shape)} and {list(w.shape)}",
        )
    return x.shape[3]


def _padding(call: Call, w: Weights) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
    """Padding and dilation of weights [O,R,S,I]."""
    dilation = call.integer("DilationHFactor"), call.integer("DilationWFactor")
    pad = window_padding(call, (w.shape[1], w.shape[2]), dilation)
    return pad, dilation


def _convolved(call: Call, op: Sliding, name: str, w: Weights) -> TensorView:
    operands = [call.builder.image(call.tensor()), call.builder.constant(name, w)]
    y = call.emit(op, operands + _bias(call, w.shape[0]))
    return row_major(y, call.builder.shape(y))


def _bias(call: Call, outputs: int) -> list[str]:
    """The bias as an operand, if there is one."""
    if call.given(2) is None:
        return []
    name, b = call.weights(2, "the bias")
    if b.size != outputs:
        raise GraphError(
            "the bias does not fit", expected=f"{outputs} numbers", found=str(list(b.shape))
        )
    return [call.builder.constant(name, b.reshape(-1))]


def fully_connected(call: Call) -> TensorView:
    """FULLY_CONNECTED over what is flattened to rows of as many numbers as the weights have.

    One row -> linear, several -> a convolution of 1 x 1. Source: TensorFlow Lite,
    `fully_connected.cc`, Prepare: with `keep_num_dims` the last axis alone is replaced.
    """
    x = call.tensor()
    name, w = call.weights(1, "the weights")
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
        return row_major(_linear(call, x, name, w), shape)
    image = call.builder.image(call.builder.reshaped(x, (1, 1, rows, inputs)))
    operands = [image, call.builder.constant(name, w.reshape(outputs, 1, 1, inputs))]
    y = call.emit(Conv2d(), operands + _bias(call, outputs))
    return call.builder.reshaped(row_major(y, call.builder.shape(y)), shape)


def _linear(call: Call, x: TensorView, name: str, w: Weights) -> str:
    """Multiply the elements in whatever order they are stored: the weights follow."""
    order = x.order
    axes = (0, *(1 + order.index(atom) for atom in x.storage))
    turned = w.reshape(w.shape[0], *(atom.size for atom in order)).transpose(axes).reshape(w.shape)
    vector = call.builder.stored(x, x.storage, (1, w.shape[1]))
    operands = [vector, call.builder.constant(name, turned)]
    return call.emit(Linear(), operands + _bias(call, w.shape[0]))
