"""Operators that make one number of several: means, sums, and extremes along any axes.

Axes that go become the pixels of an image, those that stay its channels. The least of numbers is
the greatest of them reversed: floats negated, codes counted from the other end of their type.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Known, Value, axis_of
from netgen.frontends.onnx_order import broadcast_shape
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.broadcasting import in_stored_order, spread
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.codes import of_codes
from netgen.frontends.tflite.elementwise import of_two_floats
from netgen.frontends.tflite.faults import WITHOUT_QUANTISATION, UnsupportedError
from netgen.frontends.tflite.picked import as_channels
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Quantisation
from netgen.ops.argmax import Argmax
from netgen.ops.concat import Concat
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.global_sum_pool import GlobalSumPool
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.maximum import Maximum
from netgen.ops.minimum import Minimum
from netgen.ops.mul import Mul
from netgen.ops.pad import Pad


def mean(call: Call) -> TensorView:
    """MEAN -> global_avg_pool; of codes too, which get the scale of the result's tensor."""
    x = call.tensor()
    if call.builder.kind(x).element.is_float:
        return _reduced(call, x, GlobalAvgPool())
    codes = call.one_scale()
    return _reduced(call, x, GlobalAvgPool(scale=codes.scale, zero=codes.zero))


def total(call: Call) -> TensorView:
    """SUM -> global_avg_pool times the count, of codes global_sum_pool.

    LiteRT reads int8 as if they were uint8 (`reduce.cc`, EvalSum), which is no sum; TensorFlow
    Lite Micro adds them up.
    """
    x = call.tensor()
    kind, count = call.builder.kind(x), prod(x.shape[axis] for axis in _axes(call, x))
    if not kind.element.is_float:
        codes = call.one_scale()
        if kind.dtype == "i8" and call.profile == "litert":
            raise UnsupportedError(
                "wrong of int8 in LiteRT, which takes them for uint8", hint="give -p profile=tflm"
            )
        return _reduced(call, x, GlobalSumPool(scale=codes.scale, zero=codes.zero))
    average = _reduced(call, x, GlobalAvgPool(), f"{call.name}.mean")
    return call.builder.affine(average, np.array([float(count)]), np.zeros(1), call.name)


def reduce_max(call: Call) -> TensorView:
    """REDUCE_MAX -> max_pool2d of one window."""
    return _reduced(call, call.tensor(), None)


def reduce_min(call: Call) -> TensorView:
    """REDUCE_MIN -> max_pool2d of one window, of what is reversed: exactly that, but for NaN."""
    x = _reversed(call, call.tensor(), f"{call.name}.reversed")
    return _reversed(call, _reduced(call, x, None, f"{call.name}.maximum"), call.name)


def maximum(call: Call) -> TensorView:
    """MAXIMUM -> maximum; of codes max_pool2d of both, side by side."""
    if not of_codes(call):
        return of_two_floats(Maximum(), call)
    return in_stored_order(call.given(0), call.given(1), lambda a, b: _greater(call, a, b))


def minimum(call: Call) -> TensorView:
    """MINIMUM -> minimum; of codes max_pool2d of both, side by side, of what is reversed."""
    if not of_codes(call):
        return of_two_floats(Minimum(), call)
    return in_stored_order(
        call.given(0), call.given(1), lambda a, b: _greater(call, a, b, least=True)
    )


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


def _greater(call: Call, a: Value | None, b: Value | None, *, least: bool = False) -> TensorView:
    """The greater of codes, or the lesser: one of both operands may be one number."""
    if not isinstance(a, TensorView):
        a, b = b, a
    if not isinstance(a, TensorView) or b is None:
        raise GraphError("an operand is missing")
    end = f"{call.name}.maximum" if least else call.name
    if isinstance(b, TensorView):
        wide = broadcast_shape([a.shape, b.shape])
        both = [_reversed(call, x, f"{end}.reversed") if least else x for x in (a, b)]
        flat = [as_channels(call, spread(call, x, wide), 0) for x in both]
        pair = call.builder.emit(Concat(), flat, f"{end}.both")
    else:
        pair, wide = _beside(call, a, b, least=least), a.shape
    image = call.builder.reshaped(row_major(pair, (1, 2 * prod(wide))), (1, 2, 1, prod(wide)))
    op = MaxPool2d((2, 1), (1, 1), (0, 0, 0, 0))
    y = row_major(call.builder.emit(op, [call.builder.image(image)], end), (1, 1, 1, prod(wide)))
    found = call.builder.reshaped(y, wide)
    return _reversed(call, found, call.name) if least else found


def _beside(call: Call, x: TensorView, array: Known, *, least: bool) -> str:
    """Codes, and beside them as many times a constant one."""
    if array.size != 1:
        raise UnsupportedError("supported of codes with one constant only")
    code, kind = int(array.reshape(-1)[0]), call.builder.kind(x)
    if least:
        x = _reversed(call, x, f"{call.name}.reversed")
        code = kind.element.low + kind.element.high - code
        kind = call.builder.kind(x)
    image = call.builder.image(call.builder.reshaped(x, (1, 1, 1, prod(x.shape))))
    return call.builder.emit(
        Pad((0, 1, 0, 0), float(code - kind.zero)), [image], f"{call.name}.both"
    )


def _place(call: Call, x: TensorView) -> TensorView:
    axis = call.axis(1, len(x.shape))
    if len(x.shape) < 2:
        raise GraphError("only the place along one of several axes is supported")
    kept = [each for each in range(len(x.shape)) if each != axis]
    turned = x.transposed([*kept, axis])
    y = call.builder.emit(Argmax(), [call.builder.natural(turned)], call.name)
    shape = turned.shape[:-1]
    return call.builder.reshaped(row_major(y, (*shape, 1)), shape)
