"""TRANSPOSE_CONV: windows of weights, one for each pixel, added up."""

from __future__ import annotations

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.layers import bias_of
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
    outputs, *kernel, _ = w.array.shape
    batch, rows, columns, channels = shape
    if batch != 1 or channels != outputs:
        raise GraphError(
            "the shape of the result does not fit the weights",
            expected=f"[1,H,W,{outputs}]",
            found=f"{list(shape)}",
        )
    if w.zero and w.array.dtype == np.int8:
        raise GraphError("int8 weights with a zero point", expected="0", found=str(w.zero))
    stride = stride_of(call)
    op = TransposeConv2d((rows, columns), stride, _before(call, (rows, columns), kernel, stride))
    rounding = "fixed32" if w.array.dtype == np.uint8 else "fixed"
    bias = bias_of(call, x, outputs, 3)
    return row_major(
        call.emit_weighted(op, call.builder.image(x), w, bias, rounding),
        (1, rows, columns, outputs),
    )


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
