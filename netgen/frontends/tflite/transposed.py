"""TRANSPOSE_CONV: windows of weights, one for each pixel, added up."""

from __future__ import annotations

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.codes import of_codes
from netgen.frontends.tflite.faults import WITHOUT_QUANTISATION, UnsupportedError
from netgen.frontends.tflite.layers import bias_of
from netgen.frontends.tflite.learned import Learned
from netgen.frontends.tflite.window import stride_of
from netgen.ops.transpose_conv2d import TransposeConv2d
from netgen.ops.window import four_sides, resolve_pad

_SAME, _VALID = 0, 1


def transpose_conv(call: Call) -> TensorView:
    """TRANSPOSE_CONV -> transpose_conv2d: shape of the result, weights [O,R,S,I], tensor, bias.

    The padding is that of a convolution of the result. Source: TensorFlow Lite,
    `transpose_conv.cc`, Eval, ComputePaddingHeightWidth; `kernel_util.cc`,
    GetQuantizedConvolutionMultipler: the product of the scales of uint8 is one of float32.
    """
    x, w = call.tensor(2), call.weights(1, "the weights")
    shape = call.integers(0, "the shape")
    if len(x.shape) != 4 or w.array.ndim != 4 or not w.array.size or len(shape) != 4:
        raise GraphError(
            "only transposed convolutions over images are supported",
            expected="[1,H,W,C], weights of four axes, and a shape of four",
            found=f"{list(x.shape)}, {list(w.array.shape)} and {list(shape)}",
        )
    outputs = w.array.shape[0]
    batch, rows, columns, channels = shape
    if batch != 1 or channels != outputs:
        raise GraphError(
            "the shape of the result does not fit the weights",
            expected=f"[1,H,W,{outputs}]",
            found=f"{list(shape)}",
        )
    if w.zero and w.array.dtype == np.int8:
        raise GraphError("int8 weights with a zero point", expected="0", found=str(w.zero))
    return _transposed(call, x, w, (rows, columns), 3)


def transpose_conv_of_mediapipe(call: Call) -> TensorView:
    """CUSTOM Convolution2DTransposeBias -> transpose_conv2d: tensor, weights [O,R,S,I], bias.

    Source: MediaPipe, `transpose_conv_bias.cc`, Prepare: how many rows and columns SAME makes.
    """
    x, w = call.tensor(), call.weights(1, "the weights")
    if len(x.shape) != 4 or w.array.ndim != 4 or not w.array.size or of_codes(call):
        raise GraphError(
            "only transposed convolutions over images of floats are supported",
            expected="[1,H,W,C], and weights of four axes",
            found=f"{list(x.shape)} and {list(w.array.shape)}",
        )
    same, size = call.integer("Padding") == _SAME, list[int]()
    for extent, taps, step in zip(x.shape[1:3], w.array.shape[1:3], stride_of(call), strict=True):
        whole = step * (extent - 1) + taps
        size.append(whole - max(0, taps - (extent - 1) % step - 1) if same else whole)
    return _transposed(call, x, w, (size[0], size[1]), 2)


def _transposed(
    call: Call, x: TensorView, w: Learned, size: tuple[int, int], bias: int
) -> TensorView:
    """The image of this size; `bias` is the input that has it."""
    if call.builder.kind(x).dtype == "i16":
        raise UnsupportedError("not supported of i16", hint=WITHOUT_QUANTISATION)
    outputs, *kernel, _ = w.array.shape
    stride = stride_of(call)
    op = TransposeConv2d(size, stride, _before(call, size, kernel, stride))
    rounding = "fixed32" if w.array.dtype == np.uint8 else "fixed"
    added = bias_of(call, x, outputs, bias)
    y = call.emit_weighted(op, call.builder.image(x), w, added, rounding)
    return row_major(y, (1, *size, outputs))


def _before(
    call: Call, size: tuple[int, int], kernel: list[int], stride: tuple[int, int]
) -> tuple[int, int]:
    """The padding at the top and on the left of a convolution of the result."""
    kind = call.integer("Padding")
    if kind == _VALID:
        return 0, 0
    if kind != _SAME:
        raise GraphError("an unknown padding", expected="SAME or VALID", found=str(kind))
    sides = resolve_pad("same", size, (kernel[0], kernel[1]), stride)
    top, _, left, _ = four_sides(sides, "the padding")
    return top, left
