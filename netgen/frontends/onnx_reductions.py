"""Reductions along any axes: sums, means, largest elements, softmax, argmax."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import TypeAlias

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_builder import Builder
from netgen.frontends.onnx_call import Call, axis_of
from netgen.frontends.onnx_order import AxisOrder, emit_aligned, order_of
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.ops.absolute import Absolute
from netgen.ops.add import Add
from netgen.ops.argmax import Argmax
from netgen.ops.exp import Exp
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.log import Log
from netgen.ops.mul import Mul
from netgen.ops.reduce_max import ReduceMax
from netgen.ops.reduce_mean import ReduceMean
from netgen.ops.reduce_min import ReduceMin
from netgen.ops.reduce_prod import ReduceProd
from netgen.ops.reduce_sum import ReduceSum
from netgen.ops.reduction import Reduction
from netgen.ops.softmax import Softmax
from netgen.ops.sqrt import Sqrt
from netgen.ops.sub import Sub

Mapping: TypeAlias = "Callable[[Call], TensorView]"
Step: TypeAlias = "Callable[[Call, TensorView], TensorView]"

_IMAGES = AxisOrder((0, 2, 3, 1))


def reduced(
    call: Call, x: TensorView, kind: type[Reduction], axes: Sequence[int], name: str
) -> TensorView:
    """Reduce along some axes, which keep the extent 1."""
    order = order_of(x)
    shape = [1 if axis in axes else extent for axis, extent in enumerate(x.shape)]
    if all(x.shape[axis] == 1 for axis in axes):
        return x
    # What the same operator would do to an image of one pixel row after the other.
    if kind is ReduceMean and len(x.shape) == 4 and x.shape[0] == 1 and {*axes} - {0} == {2, 3}:
        image = call.builder.image(x)
        return _IMAGES.view(call.builder.emit(GlobalAvgPool(), [image], name), shape)
    value = order.store(call.builder, x)
    return order.view(call.builder.emit(kind(order.places(axes)), [value], name), shape)


def _axes(call: Call, rank: int) -> tuple[int, ...] | None:
    """The axes of a reduction; None where nothing is reduced.

    Source: ONNX operators, ReduceSum: no axes are all of them, or none, where
    `noop_with_empty_axes` says so.
    """
    axes = call.axes(rank, 1)
    if not axes and call.flag("noop_with_empty_axes"):
        return None
    return axes or tuple(range(rank))


def reduce(kind: type[Reduction], before: Step | None = None, after: Step | None = None) -> Mapping:
    """Make the mapping of a reduction of what a step makes of x, and a step of the result."""

    def mapping(call: Call) -> TensorView:
        x = call.tensor()
        axes = _axes(call, len(x.shape))
        if before is not None:
            x = before(call, x)
        if axes is None:
            return x if after is None else after(call, x)
        y = reduced(call, x, kind, axes, call.name)
        return without(y if after is None else after(call, y), axes, call)

    return mapping


def without(y: TensorView, axes: Sequence[int], call: Call) -> TensorView:
    """The result with or without the axes that are 1 now."""
    if call.flag("keepdims", 1):
        return y
    return replace(y, axes=tuple(a for axis, a in enumerate(y.axes) if axis not in axes))


def log_sum_exp(call: Call) -> TensorView:
    """ReduceLogSumExp, less the largest element before the powers, which cannot overflow then."""
    x = call.tensor()
    axes = _axes(call, len(x.shape))
    if axes is None:
        return x
    most = reduced(call, x, ReduceMax, axes, f"{call.name}.most")
    below = emit_aligned(call, Sub(), [x, most], f"{call.name}.below")
    powers = _on(call, below, Exp(), "powers")
    total = reduced(call, powers, ReduceSum, axes, f"{call.name}.total")
    found = emit_aligned(call, Add(), [_on(call, total, Log(), "log"), most], call.name)
    return without(found, axes, call)


def _on(call: Call, x: TensorView, op: Log | Exp | Sqrt | Absolute, part: str) -> TensorView:
    return replace(x, value=call.builder.emit(op, [x.value], f"{call.name}.{part}"))


def _absolute(call: Call, x: TensorView) -> TensorView:
    return _on(call, x, Absolute(), "absolute")


def _square(call: Call, x: TensorView) -> TensorView:
    return replace(x, value=call.builder.emit(Mul(), [x.value, x.value], f"{call.name}.square"))


def _root(call: Call, x: TensorView) -> TensorView:
    return _on(call, x, Sqrt(), "root")


def _logarithm(call: Call, x: TensorView) -> TensorView:
    return _on(call, x, Log(), "log")


REDUCTIONS: dict[str, Mapping] = {
    "ReduceL1": reduce(ReduceSum, before=_absolute),
    "ReduceL2": reduce(ReduceSum, before=_square, after=_root),
    "ReduceLogSum": reduce(ReduceSum, after=_logarithm),
    "ReduceLogSumExp": log_sum_exp,
    "ReduceMax": reduce(ReduceMax),
    "ReduceMean": reduce(ReduceMean),
    "ReduceMin": reduce(ReduceMin),
    "ReduceProd": reduce(ReduceProd),
    "ReduceSum": reduce(ReduceSum),
    "ReduceSumSquare": reduce(ReduceSum, before=_square),
}


def _last(call: Call, x: TensorView, axes: Sequence[int]) -> tuple[str, AxisOrder]:
    """A value in which these axes lie last, and the order of all of its axes."""
    order = order_of(x)
    others = tuple(axis for axis in order.perm if axis not in axes)
    if order.perm[len(others) :] != tuple(axes):
        order = AxisOrder((*others, *axes))
    return order.store(call.builder, x), order


def softmax(call: Call) -> TensorView:
    """Softmax along any axis, which lies last then.

    Source: ONNX operators, Softmax: the axis is the last one by default; before opset 13 it is 1 by
    default, and all axes behind it are summed over as well.
    """
    x = call.tensor()
    axes = _softmax_axes(call, len(x.shape))
    value, order = _last(call, x, axes)
    extent = prod(x.shape[axis] for axis in axes)
    if call.builder.shape(value)[-1] != extent or len(x.shape) < 2:
        value = call.builder.reshape(value, (prod(x.shape) // extent, extent))
    y = call.builder.emit(Softmax(), [value], call.name)
    return order.view(call.builder.reshape(y, order.shape(x.shape)), x.shape)


def _softmax_axes(call: Call, rank: int) -> tuple[int, ...]:
    axis = axis_of(call.integer("axis", -1 if call.opset >= 13 else 1), rank)
    return (axis,) if call.opset >= 13 else tuple(range(axis, rank))


def log_softmax(call: Call) -> TensorView:
    """LogSoftmax: x less the logarithm of the sum of powers, both less the largest element."""
    x = call.tensor()
    order = order_of(x)
    value, places = order.store(call.builder, x), order.places(_softmax_axes(call, len(x.shape)))
    return order.view(log_softmax_of(call.builder, value, places, call.name), x.shape)


def log_softmax_of(builder: Builder, value: str, places: tuple[int, ...], name: str) -> str:
    """A value of floats less its largest element along these axes, and less the log of the sum.

    The logarithm of a softmax would be that of zero where elements lie far apart.
    """
    most = builder.emit(ReduceMax(places), [value], f"{name}.most")
    below = builder.emit(Sub(), [value, most], f"{name}.below")
    powers = builder.emit(Exp(), [below], f"{name}.powers")
    total = builder.emit(ReduceSum(places), [powers], f"{name}.total")
    log = builder.emit(Log(), [total], f"{name}.log")
    return builder.emit(Sub(), [below, log], name)


def arg_max(call: Call, *, least: bool = False) -> TensorView:
    """ArgMax along any axis -> argmax, whose results are int32; ONNX has int64."""
    x = call.tensor()
    axis = axis_of(call.integer("axis", 0), len(x.shape))
    if least:
        x = call.builder.affine(x, np.array([-1.0]), np.zeros(1), f"{call.name}.negative")
    value, order = _last(call, x, (axis,))
    if len(x.shape) < 2:
        value = call.builder.reshape(value, (1, *x.shape))
    op = Argmax(int(call.flag("select_last_index")))
    y = call.builder.emit(op, [value], call.name)
    shape = [1 if at == axis else extent for at, extent in enumerate(x.shape)]
    return without(order.view(call.builder.reshape(y, order.shape(shape)), shape), [axis], call)


def arg_min(call: Call) -> TensorView:
    """ArgMin: where the largest of what is negated stands."""
    return arg_max(call, least=True)


def global_max_pool(call: Call) -> TensorView:
    """GlobalMaxPool -> reduce_max over all pixels."""
    x = call.tensor()
    if len(x.shape) < 3:
        raise GraphError("a tensor without pixels", found=f"{list(x.shape)}")
    return reduced(call, x, ReduceMax, range(2, len(x.shape)), call.name)


def global_average_pool(call: Call) -> TensorView:
    """GlobalAveragePool -> global_avg_pool, or reduce_mean where it is of no one image."""
    x = call.tensor()
    if len(x.shape) < 3:
        raise GraphError("a tensor without pixels", found=f"{list(x.shape)}")
    return reduced(call, x, ReduceMean, range(2, len(x.shape)), call.name)
