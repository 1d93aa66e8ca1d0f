"""Pooling: MaxPool, AveragePool, GlobalAveragePool, ReduceMean over pixels."""

from __future__ import annotations

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.frontends.onnx_window import Sides, padding, rounded_up, two
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.max_pool2d import MaxPool2d


def global_average_pool(call: Call) -> TensorView:
    """GlobalAveragePool -> global_avg_pool."""
    x = call.tensor()
    y = call.builder.emit(GlobalAvgPool(), [call.builder.image(x)], call.name)
    return call.builder.view(y, (1, x.shape[1], 1, 1))


def reduce_mean(call: Call) -> TensorView:
    """ReduceMean over all pixels -> global_avg_pool; with or without the axes of extent 1.

    Source: ONNX operators, ReduceMean: no axes are all of them, or since opset 18 none, where
    `noop_with_empty_axes` says so.
    """
    x = call.tensor()
    rank = len(x.shape)
    axes = call.axes(rank, 1)
    if not axes and call.flag("noop_with_empty_axes"):
        return x
    pixels = set(axes or range(rank))
    if rank < 3 or pixels != set(range(2, rank)):
        raise GraphError(
            "only the mean over all pixels is supported",
            expected="axes 2 and 3",
            found=f"{sorted(pixels)} of {list(x.shape)}",
        )
    rows = x.shape[2]
    columns = x.shape[3] if rank == 4 else 1
    image = x if rank == 4 else call.builder.reshaped(x, (*x.shape[:2], rows, columns))
    y = call.builder.emit(GlobalAvgPool(), [call.builder.image(image)], call.name)
    kept = (1,) * (rank - 2) if call.flag("keepdims", 1) else ()
    pooled = call.builder.view(y, (1, x.shape[1], 1, 1))
    return call.builder.reshaped(pooled, (1, x.shape[1], *kept))


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
