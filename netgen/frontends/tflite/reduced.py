"""Operators that make one number of several: means, sums, and extremes along any axes.

Axes that go become the pixels of an image, those that stay its channels. The least of numbers is
the greatest of them reversed: floats negated, codes counted from the other end of their type.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Value, axis_of
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.broadcasting import common_shape, in_stored_order, spread
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.faults import WITHOUT_QUANTISATION, UnsupportedError
from netgen.frontends.tflite.picked import as_channels
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Quantisation
from netgen.ops.argmax import Argmax
from netgen.ops.concat import Concat
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.global_sum_pool import GlobalSumPool
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.mul import Mul


def mean(call: Call) -> TensorView:
    """MEAN -> global_avg_pool; of codes too, which get the scale of the result's tensor."""
    x = call.tensor()
    if call.builder.kind(x).element.is_float:
        return _reduced(call, x, GlobalAvgPool())
    codes = call.one_scale()
    return _reduced(call, x, GlobalAvgPool(scale=codes.scale, zero=codes.zero))


def total(call: Call) -> TensorView:
    """SUM -> global_avg_pool times the count, of codes global_sum_pool.

    Source: TensorFlow Lite, `reduce.cc`, EvalSum: codes that keep their scale are added as they
    are, until they overflow. That is no sum.
    """
    x = call.tensor()
    kind, count = call.builder.kind(x), prod(x.shape[axis] for axis in _axes(call, x))
    if not kind.element.is_float:
        codes = call.one_scale()
        if kind.alike(call.made[0].type()):
            raise UnsupportedError("not supported of codes that keep their scale")
        return _reduced(call, x, GlobalSumPool(scale=codes.scale, zero=codes.zero))
    average = _reduced(call, x, GlobalAvgPool(), f"{call.name}.mean")
    return call.builder.affine(average, np.array([float(count)]), np.zeros(1), call.name)


def reduce_max(call: Call) -> TensorView:
    """REDUCE_MAX -> max_pool2d of one window."""
    return _reduced(call, call.tensor(), None)


def reduce_min(call: Call) -> TensorView:
    """REDUCE_MIN -> max_pool2d of one window, of what is reversed."""
    x = _reversed(call, call.tensor(), f"{call.name}.reversed")
    return _reversed(call, _reduced(call, x, None, f"{call.name}.maximum"), call.name)


def maximum(call: Call) -> TensorView:
    """MAXIMUM -> max_pool2d of both, side by side."""
    return in_stored_order(call.given(0), call.given(1), lambda a, b: _of_two(call, a, b, 1))


def minimum(call: Call) -> TensorView:
    """MINIMUM -> max_pool2d of both, side by side, of what is reversed."""
    return in_stored_order(call.given(0), call.given(1), lambda a, b: _of_two(call, a, b, -1))


def arg_max(call: Call) -> TensorView:
    """ARG_MAX -> argmax over the last axis; results are int32 where the file says int64."""
    return _place(call, call.tensor())


def arg_min(call: Call) -> TensorView:
    """ARG_MIN -> argmax of what is reversed."""
    return _place(call, _reversed(call, call.tensor(), f"{call.name}.reversed"))


def _axes(call: Call, x: TensorView) -> list[int]:
    """The axes that go, in their order."""
    return sorted({axis_of(axis, len(x.shape)) for axis in call.integers(1, "the axes")})


def _reduced(call: Call, x: TensorView, op: Operator | None, name: str = "") -> TensorView:
    """Apply an operator to all pixels of an image of what goes; without one take the greatest."""
    gone = _axes(call, x)
    kept = [axis for axis in range(len(x.shape)) if axis not in gone]
    shape = [1 if axis in gone else extent for axis, extent in enumerate(x.shape)]
    if not call.integer("KeepDims"):
        shape = [x.shape[axis] for axis in kept]
    *ahead, last = [x.shape[axis] for axis in gone] or [1]
    image = (1, prod(ahead), last, prod(x.shape[axis] for axis in kept))
    turned = x.transposed([*gone, *kept])
    value = call.builder.image(call.builder.reshaped(turned, image))
    op = MaxPool2d(image[1:3], (1, 1), (0, 0, 0, 0)) if op is None else op
    y = row_major(call.builder.emit(op, [value], name or call.name), (1, 1, 1, image[3]))
    return call.builder.reshaped(y, shape)


def _reversed(call: Call, x: TensorView, name: str) -> TensorView:
    """Numbers whose order is the opposite, exactly: twice reversed they are what they were.

    Codes c become low + high - c, as a product with -1 of the same scale, around another zero.
    """
    builder, kind = call.builder, call.builder.kind(x)
    if kind.element.is_float:
        return builder.affine(x, np.array([-1.0]), np.zeros(1), name)
    if kind.quantisation is None or kind.dtype == "i16":
        raise UnsupportedError(f"not supported of {kind.dtype}", hint=WITHOUT_QUANTISATION)
    assert isinstance(kind.quantisation.scale, float)  # values have one
    element, signed = kind.element, kind.dtype == "i8"
    minus = np.full((*(1 for _ in kind.shape[1:]), kind.shape[-1]), -1 if signed else 0)
    meaning = Quantisation(1.0, 0 if signed else 1)
    factor = builder.codes(f"{name}.minus", minus.astype(element.storage), meaning)
    op = Mul(scale=kind.quantisation.scale, zero=element.low + element.high - kind.zero)
    return replace(x, value=builder.emit(op, [x.value, factor], name))


def _of_two(call: Call, a: Value | None, b: Value | None, sign: int) -> TensorView:
    if a is None or b is None:
        raise GraphError("an operand is missing")
    views = [_computed(call, each, at, a if each is b else b) for at, each in enumerate((a, b))]
    wide = common_shape(*views)
    if sign < 0:
        views = [_reversed(call, x, f"{call.name}.reversed_{k}") for k, x in enumerate(views)]
    flat = [as_channels(call, spread(call, x, wide), 0) for x in views]
    both = call.builder.emit(Concat(), flat, f"{call.name}.both")
    pair = call.builder.reshaped(row_major(both, (1, 2 * prod(wide))), (1, 2, 1, prod(wide)))
    op, name = MaxPool2d((2, 1), (1, 1), (0, 0, 0, 0)), call.name
    name = name if sign > 0 else f"{name}.maximum"
    y = row_major(call.builder.emit(op, [call.builder.image(pair)], name), (1, 1, 1, prod(wide)))
    found = call.builder.reshaped(y, wide)
    return found if sign > 0 else _reversed(call, found, call.name)


def _computed(call: Call, value: Value, at: int, other: Value) -> TensorView:
    """A tensor; of a constant one, as zero times the other operand and a number."""
    if isinstance(value, TensorView):
        return value
    raise UnsupportedError("supported of two computed tensors only")


def _place(call: Call, x: TensorView) -> TensorView:
    axis = call.axis(1, len(x.shape))
    if len(x.shape) < 2:
        raise GraphError("only the place along one of several axes is supported")
    kept = [each for each in range(len(x.shape)) if each != axis]
    turned = x.transposed([*kept, axis])
    y = call.builder.emit(Argmax(), [call.builder.natural(turned)], call.name)
    shape = turned.shape[:-1]
    return call.builder.reshaped(row_major(y, (*shape, 1)), shape)
