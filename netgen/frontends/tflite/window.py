"""Sliding windows and pooling as TensorFlow Lite states them."""

from __future__ import annotations

from netgen.errors import GraphError
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import CLAMPS, Call
from netgen.ir.operator import Operator
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.window import four_sides, pair, resolve_pad

_SAME, _VALID = 0, 1


def stride_of(call: Call) -> tuple[int, int]:
    """The stride; raises GraphError where it is none."""
    return pair((call.integer("StrideH"), call.integer("StrideW")), "the stride")


def window_padding(
    call: Call, size: tuple[int, int], dilation: tuple[int, int] = (1, 1)
) -> tuple[int, int, int, int]:
    """The padding (top, bottom, left, right) of a window over the first input."""
    kind = call.integer("Padding")
    if kind == _VALID:
        return 0, 0, 0, 0
    if kind != _SAME:
        raise GraphError("an unknown padding", expected="SAME or VALID", found=str(kind))
    rows, columns = call.tensor().shape[1:3]
    kernel, spread = pair(size, "the window"), pair(dilation, "the dilation")
    reach = (kernel[0] - 1) * spread[0] + 1, (kernel[1] - 1) * spread[1] + 1
    return four_sides(resolve_pad("same", (rows, columns), reach, stride_of(call)), "the padding")


def average_pool_2d(call: Call) -> TensorView:
    """AVERAGE_POOL_2D -> avg_pool2d, or of floats global_avg_pool where one window is the image.

    Padding does not count. Source: TensorFlow Lite, `reference/pooling.h`, AveragePool. A mean of
    codes is one of codes as they are, not the one that MEAN computes.
    """
    size, pad = _pooling(call)
    if _has_codes(call):
        op = AvgPool2d(size, stride_of(call), pad, act=clamp_of(call))
        return _of_image(call, op, call.builder.image(call.tensor()))
    if size == call.tensor().shape[1:3] and not any(pad):
        return _pooled(call, GlobalAvgPool())
    return _pooled(call, AvgPool2d(size, stride_of(call), pad))


def max_pool_2d(call: Call) -> TensorView:
    """MAX_POOL_2D -> max_pool2d, with the borders of a PADV2 before it."""
    size, (top, bottom, left, right) = _pooling(call)
    value = call.builder.image(call.tensor())
    if value in call.builder.bordered:
        value, border = call.builder.bordered[value]
        top, bottom, left, right = (
            a + b for a, b in zip(border, (top, bottom, left, right), strict=True)
        )
    pad = (top, bottom, left, right)
    if _has_codes(call):
        return _of_image(call, MaxPool2d(size, stride_of(call), pad, act=clamp_of(call)), value)
    y = call.emit(MaxPool2d(size, stride_of(call), pad), [value])
    return row_major(y, call.builder.shape(y))


def _pooling(call: Call) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
    if len(call.tensor().shape) != 4:
        raise GraphError("only pooling over images is supported")
    size = pair((call.integer("FilterHeight"), call.integer("FilterWidth")), "the window")
    return size, window_padding(call, size)


def _has_codes(call: Call) -> bool:
    return not call.builder.kind(call.tensor()).element.is_float


def clamp_of(call: Call) -> str:
    """The fused activation as an attribute of codes; raises GraphError for others than clamps."""
    number = call.integer("FusedActivationFunction")
    if number not in CLAMPS:
        raise GraphError(
            f"the fused activation {number} is not supported of codes",
            expected=" or ".join(f"{n} ({act})" for n, act in CLAMPS.items()),
        )
    return CLAMPS[number]


def _of_image(call: Call, op: Operator, image: str) -> TensorView:
    """The result of an operator that makes an image of one."""
    y = call.builder.emit(op, [image], call.name)
    return row_major(y, call.builder.shape(y))


def _pooled(call: Call, op: AvgPool2d | GlobalAvgPool) -> TensorView:
    y = call.emit(op, [call.builder.image(call.tensor())])
    return row_major(y, call.builder.shape(y))
