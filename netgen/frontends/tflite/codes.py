"""Elementwise operators of codes: what they read, and the scale that the result gets."""

from __future__ import annotations

import math
from dataclasses import replace

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Known, Value
from netgen.frontends.onnx_order import broadcast_shape
from netgen.frontends.onnx_tensor_view import TensorView, alike, row_major
from netgen.frontends.tflite.broadcasting import (
    as_wide,
    fitting,
    in_stored_order,
    spread,
)
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.faults import UnsupportedError
from netgen.frontends.tflite.parts import FileTensor
from netgen.ops.broadcast import Broadcast
from netgen.ops.rescaled import OwnCodes


def of_codes(call: Call) -> bool:
    """Whether a computed operand is one of codes."""
    views = [value for value in call.inputs if isinstance(value, TensorView)]
    return any(call.builder.kind(view).quantisation is not None for view in views)


def own_scale(call: Call) -> OwnCodes:
    """The attributes that say what codes of the result stand for; none of floats."""
    if not of_codes(call):
        return {}
    codes = call.one_scale()
    return {"scale": codes.scale, "zero": codes.zero}


def fused_act(call: Call) -> str:
    """The name of the activation that the options fuse into an operator of codes."""
    act = call.activation()
    return "none" if act is None else act.operator_name


def require_general(call: Call) -> None:
    """Raise UnsupportedError for sums of int16 that LiteRT only shifts.

    Source: TensorFlow Lite, `add.cc`, Prepare: all scales are powers of 2, and an option says so.
    TensorFlow Lite Micro does not look at it.
    """
    found = [each.type() for each in (*call.read, *call.made) if each is not None]
    if found[-1].dtype != "i16" or call.profile != "litert" or not call.integer("PotScaleInt16"):
        return
    scales = [0.0 if kind.quantisation is None else kind.quantisation.scale for kind in found]
    if all(isinstance(scale, float) and math.frexp(scale)[0] == 0.5 for scale in scales):
        raise UnsupportedError(
            "sums of int16 that are shifted are not supported",
            hint="scales that are no powers of 2, or pot_scale_int16=false",
        )


def of_two_codes(op: Broadcast, call: Call) -> TensorView:
    """Two operands of any shapes that can be broadcast; one may be a constant."""
    return in_stored_order(call.given(0), call.given(1), lambda a, b: _of_two_codes(op, call, a, b))


def _of_two_codes(op: Broadcast, call: Call, a: Value | None, b: Value | None) -> TensorView:
    builder = call.builder
    if a is None or b is None:
        raise GraphError("an operand is missing")
    if isinstance(a, TensorView) and isinstance(b, TensorView):
        if alike(a, b) and builder.shape(a.value) == builder.shape(b.value):
            return replace(a, value=builder.emit(op, [a.value, b.value], call.name))
        a, b, wide = fitting(call, op, a, b)
        operands = [builder.natural(a), builder.natural(b)]
    else:
        x, array = (a, b) if isinstance(a, TensorView) else (b, a)
        if not isinstance(x, TensorView) or isinstance(array, TensorView):
            raise GraphError("no operand is computed")
        wide = x.shape if array.size == 1 else broadcast_shape([x.shape, array.shape])
        second = _constant(call, call.read[int(x is a)], array, wide)
        operands = [builder.natural(spread(call, x, wide)), second]
        if not op.commutes and x is b:
            operands.reverse()
    return row_major(builder.emit(op, operands, call.name), wide)


def _constant(call: Call, tensor: FileTensor | None, array: Known, wide: tuple[int, ...]) -> str:
    """A constant of codes, of one number per channel or per element."""
    assert tensor is not None  # it is known
    kind = tensor.type()
    if kind.quantisation is None or not isinstance(kind.quantisation.scale, float):
        raise GraphError(
            "a constant operand has no one scale", expected="codes as of the other", found=str(kind)
        )
    array = array.reshape((1,) * len(wide)) if array.size == 1 else array
    return call.builder.codes(tensor.name, as_wide(call, array, wide), kind.quantisation)
