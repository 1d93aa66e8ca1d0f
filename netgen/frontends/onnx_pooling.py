"""Pooling: MaxPool, AveragePool."""

from __future__ import annotations

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call
from netgen.frontends.onnx_reductions import global_average_pool
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.frontends.onnx_window import Sides, padding, rounded_up, two
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.max_pool2d import MaxPool2d


def max_pool(call: Call) -> TensorView:
    """MaxPool over images -> max_pool2d."""
    call.only_output()
    kernel, stride, pad, completed = _window(call)
    del pad
    return _pooled(call, MaxPool2d(kernel, stride, completed))


def average_pool(call: Call) -> TensorView:
    """AveragePool over images -> avg_pool2d, or global_avg_pool where one window is the image."""
    kernel, stride, pad, completed = _window(call)
    if kernel == call.tensor().shape[2:] and not any(completed):
        return global_average_pool(call)
    counted = pad if call.flag("count_include_pad") else (0, 0, 0, 0)
    return _pooled(call, AvgPool2d(kernel, stride, completed, counted))


def _window(call: Call) -> tuple[tuple[int, int], tuple[int, int], Sides, Sides]:
    """Kernel, stride, padding, and the padding with what ceil_mode adds to complete a window."""
    x = call.tensor()
    given = call.integers("kernel_shape")
    if given is None:
        raise GraphError("kernel_shape is missing")
    kernel = two(given, "kernel_shape")
    stride = two(call.integers("strides"), "strides")
    if two(call.integers("dilations"), "dilations") != (1, 1):
        raise GraphError("pooling with dilation is not supported")
    if len(x.shape) != 4:
        raise GraphError("only pooling over images is supported", found=f"{list(x.shape)}")
    pad = padding(call, x.shape[2:], kernel, stride, (1, 1))
    if not call.flag("ceil_mode"):
        return kernel, stride, pad, pad
    return kernel, stride, pad, rounded_up(x.shape[2:], kernel, stride, pad)


def _pooled(call: Call, op: MaxPool2d | AvgPool2d) -> TensorView:
    y = call.builder.emit(op, [call.builder.image(call.tensor())], call.name)
    _, rows, columns, channels = call.builder.shape(y)
    return call.builder.view(y, (1, channels, rows, columns))
