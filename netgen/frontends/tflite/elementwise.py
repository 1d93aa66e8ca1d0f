"""Elementwise operators: sums, differences, products, activations, softmax; and codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_activations import gated_by_itself, written_out
from netgen.frontends.onnx_call import Known, Value
from netgen.frontends.onnx_order import broadcast_shape
from netgen.frontends.onnx_tensor_view import TensorView, alike, row_major
from netgen.frontends.tflite.broadcasting import (
    fitting,
    in_stored_order,
)
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.codes import (
    fused_act,
    of_codes,
    of_two_codes,
    own_scale,
    require_general,
)
from netgen.frontends.tflite.faults import WITHOUT_QUANTISATION, UnsupportedError
from netgen.ir.tensor_type import Quantisation
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.add import Add
from netgen.ops.broadcast import Broadcast, per_channel
from netgen.ops.dequantize import Dequantize
from netgen.ops.div import Div
from netgen.ops.hard_swish import HardSwish
from netgen.ops.leaky_relu import LeakyRelu
from netgen.ops.mul import Mul
from netgen.ops.prelu import Prelu
from netgen.ops.quantize import Quantize
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.ops.relu_n1_to_1 import ReluN1To1
from netgen.ops.sigmoid import Sigmoid
from netgen.ops.softmax import Softmax
from netgen.ops.sub import Sub
from netgen.ops.tanh import Tanh

Floats = npt.NDArray[np.float64]


def _activated(kind: type[ElementwiseActivation], call: Call) -> TensorView:
    """Activate the first input: the order of its elements stays, whatever it is."""
    x, op = call.tensor(), kind(**own_scale(call))
    return replace(x, value=call.builder.emit(op, [x.value], call.name))


relu = partial(_activated, Relu)
relu_n1_to_1 = partial(_activated, ReluN1To1)
hard_swish = partial(_activated, HardSwish)
logistic = partial(_activated, Sigmoid)
tanh = partial(_activated, Tanh)


def relu6(call: Call) -> TensorView:
    """RELU6.

    TensorFlow Lite Micro takes codes of the result for codes of the operand (`activations.cc`,
    Relu6Eval), which is no RELU6 where these differ.
    """
    if call.profile == "tflm" and of_codes(call):
        kind, codes = call.builder.kind(call.tensor()), call.one_scale()
        if kind.quantisation != Quantisation(codes.scale, codes.zero):
            raise UnsupportedError(
                "wrong in TensorFlow Lite Micro, which does not rescale codes",
                hint="give -p profile=litert",
            )
    return _activated(Relu6, call)


def leaky_relu(call: Call) -> TensorView:
    """LEAKY_RELU."""
    x, op = call.tensor(), LeakyRelu(call.floating("Alpha"), **own_scale(call))
    return replace(x, value=call.builder.emit(op, [x.value], call.name))


def prelu(call: Call) -> TensorView:
    """PRELU, whose slopes are known or computed."""
    if of_codes(call):
        return of_two_codes(Prelu(**own_scale(call)), call)
    return in_stored_order(call.tensor(), call.given(1), partial(_with_slopes, call))


def _with_slopes(call: Call, x: Value | None, slopes: Value | None) -> TensorView:
    assert isinstance(x, TensorView)  # as `prelu` has it
    if isinstance(slopes, TensorView):
        return _of_two(Prelu(), call, x, slopes, call.name)
    return _with_whole_constant(call, Prelu(), x, _floats(slopes), call.name)


def softmax(call: Call) -> TensorView:
    """SOFTMAX over the last axis of x * beta."""
    x, op = call.tensor(), Softmax(call.floating("Beta"), **own_scale(call))
    y = call.builder.emit(op, [call.builder.natural(x)], call.name)
    return row_major(y, x.shape)


def add(call: Call) -> TensorView:
    """ADD of two tensors -> add; of a constant -> a bias, batch_norm, or add."""
    if of_codes(call):
        require_general(call)
        return of_two_codes(Add(act=fused_act(call), **own_scale(call)), call)
    return _of_floats(call, _sum)


def sub(call: Call) -> TensorView:
    """SUB of two tensors -> sub; with a constant, one of both is negated and added."""
    if of_codes(call):
        require_general(call)
        return of_two_codes(Sub(act=fused_act(call), **own_scale(call)), call)
    return _of_floats(call, _difference)


def _of_floats(
    call: Call, make: Callable[[Call, str, Value | None, Value | None], TensorView]
) -> TensorView:
    """An operator of two operands of floats, then the fused activation."""
    a, b = call.given(0), call.given(1)
    return call.activated(lambda name: in_stored_order(a, b, partial(make, call, name)))


def _difference(call: Call, name: str, a: Value | None, b: Value | None) -> TensorView:
    if isinstance(a, TensorView) and isinstance(b, TensorView):
        return _of_two(Sub(), call, a, b, name)
    if not isinstance(b, TensorView):
        return _with_constant(call, Add(), a, np.negative(_floats(b)), name)
    minus, none = np.array([-1.0]), np.zeros(1)
    negated = call.builder.affine(b, minus, none, f"{call.name}.negated")
    return _with_constant(call, Add(), a, negated, name)


def _sum(call: Call, name: str, a: Value | None, b: Value | None) -> TensorView:
    if isinstance(a, TensorView) and isinstance(b, TensorView):
        return _of_two(Add(), call, a, b, name)
    return _with_constant(call, Add(), a, b, name)


def mul(call: Call) -> TensorView:
    """MUL of two tensors -> mul, or hard_swish; by a constant -> batch_norm or mul."""
    if of_codes(call):
        return of_two_codes(Mul(act=fused_act(call), **own_scale(call)), call)
    return _of_floats(call, _product)


def _product(call: Call, name: str, a: Value | None, b: Value | None) -> TensorView:
    if not isinstance(a, TensorView) or not isinstance(b, TensorView):
        return _with_constant(call, Mul(), a, b, name)
    if (gated := gated_by_itself(call.builder, a, b)) is not None:
        op, x = gated
        return replace(x, value=call.builder.emit(op, [x.value], name))
    return _of_two(Mul(), call, a, b, name)


def div(call: Call) -> TensorView:
    """DIV by a constant -> batch_norm or mul; of two tensors, or of a constant by one -> div."""
    if of_codes(call):
        raise UnsupportedError("not supported of codes", hint=WITHOUT_QUANTISATION)
    return _of_floats(call, _quotient)


def _quotient(call: Call, name: str, a: Value | None, b: Value | None) -> TensorView:
    if isinstance(b, TensorView):
        return _of_two_floats(call, Div(), name, a, b)
    divisor = _floats(b)
    if not divisor.all():
        raise GraphError("a tensor is divided by zero")
    return _with_constant(call, Mul(), a, np.asarray(1.0 / divisor), name)


def of_two_floats(op: Broadcast, call: Call) -> TensorView:
    """Two operands of floats without a fused activation; one may be a constant."""
    return in_stored_order(
        call.given(0), call.given(1), lambda a, b: _of_two_floats(call, op, call.name, a, b)
    )


def _of_two_floats(
    call: Call, op: Broadcast, name: str, a: Value | None, b: Value | None
) -> TensorView:
    if isinstance(a, TensorView) and isinstance(b, TensorView):
        return _of_two(op, call, a, b, name)
    if isinstance(a, TensorView):
        return _with_whole_constant(call, op, a, _floats(b), name)
    if not isinstance(b, TensorView):
        raise GraphError("supported between tensors, or a tensor and a constant")
    if op.commutes:
        return _with_whole_constant(call, op, b, _floats(a), name)
    given = _floats(a)
    first = call.builder.constant(f"{name}.a", given)
    y = call.builder.emit(op, [first, call.builder.natural(b)], name)
    return row_major(y, broadcast_shape([given.shape, b.shape]))


def _of_two(op: Broadcast, call: Call, a: TensorView, b: TensorView, name: str) -> TensorView:
    """Two tensors: in place if they lie alike, else both in the order of the file."""
    builder = call.builder
    if alike(a, b) and builder.shape(a.value) == builder.shape(b.value):
        return replace(a, value=builder.emit(op, [a.value, b.value], name))
    a, b, wide = fitting(call, op, a, b)
    return row_major(builder.emit(op, [builder.natural(a), builder.natural(b)], name), wide)


def _with_constant(
    call: Call, op: Add | Mul, a: Value | None, b: Value | None, name: str
) -> TensorView:
    """A constant added or multiplied: one number, one per channel, or one per element."""
    x, constant = (a, b) if isinstance(a, TensorView) else (b, a)
    given = _floats(constant)
    if not isinstance(x, TensorView):
        raise GraphError("both operands are constants")
    if given.size == 1 or given.shape == per_channel(x.shape):
        return _affine(call, op, x, given.reshape(-1), name)
    return _with_whole_constant(call, op, x, given, name)


def _with_whole_constant(
    call: Call, op: Broadcast, x: TensorView, given: Floats, name: str
) -> TensorView:
    """A second operand that is a constant, of any shape that fits."""
    channels = per_channel(x.shape)
    given = np.broadcast_to(given.reshape(-1), channels) if given.size == 1 else given
    wide = broadcast_shape([x.shape, given.shape])
    second = call.builder.constant(f"{name}.b", given)
    return row_major(call.builder.emit(op, [call.builder.natural(x), second], name), wide)


def _affine(call: Call, op: Add | Mul, x: TensorView, numbers: Floats, name: str) -> TensorView:
    builder = call.builder
    if isinstance(op, Mul):
        if (activation := written_out(builder, x.value, numbers)) is not None:
            end, operand = activation
            return replace(x, value=builder.emit(end, [operand], name))
        return builder.affine(x, numbers, np.zeros(1), name)
    if (biased := builder.with_bias(x, numbers, name)) is not None:
        return biased
    return builder.affine(x, np.ones(1), numbers, name)


def _floats(array: Value | None) -> Floats:
    if array is None or isinstance(array, TensorView):
        raise GraphError("an operand is missing, or is no constant")
    if array.dtype not in {np.dtype(np.float32), np.dtype(np.float64)}:
        raise WeightsError(
            "a constant operand has an element type that netgen does not read here",
            expected="float32",
            found=str(array.dtype),
        )
    return np.asarray(array, np.float64)


def quantize(call: Call) -> TensorView:
    """QUANTIZE of floats, or of codes of another scale -> quantize, to those of the result."""
    x, codes = call.tensor(), call.one_scale()
    op = Quantize(codes.scale, codes.zero, codes.dtype)
    return replace(x, value=call.builder.emit(op, [x.value], call.name))


def dequantize(call: Call) -> TensorView:
    """DEQUANTIZE of codes -> dequantize."""
    x = call.tensor()
    return replace(x, value=call.builder.emit(Dequantize(), [x.value], call.name))


def cast(call: Call) -> TensorView:
    """CAST of bytes that stand for themselves -> dequantize; between equal types nothing."""
    x = call.tensor()
    kind, wanted = call.builder.kind(x), call.made[0].type()
    if kind.dtype == wanted.dtype:
        return x
    plain = kind.quantisation is not None and (kind.quantisation.scale, kind.zero) == (1.0, 0)
    if wanted.dtype != "f32" or not plain:
        raise UnsupportedError(
            "supported of bytes without a scale, to floats", found=f"{kind} to {wanted.dtype}"
        )
    return dequantize(call)


def widened(call: Call) -> Known:
    """DEQUANTIZE of a constant of float16 or of codes: its float32."""
    array, tensor = call.known(0, "the operand"), call.read[0]
    call.budget.take(array.size)
    if array.dtype == np.float16:
        return np.asarray(array, np.float32)
    assert tensor is not None  # it is known
    meaning = tensor.type().quantisation if array.dtype.kind in "iu" else None
    if meaning is None or tensor.scales is None:
        raise WeightsError(
            "a constant of such elements is not supported here",
            expected="float16, or codes with scales",
            found=str(array.dtype),
        )
    scales = np.array(tensor.scales.scales)
    # One of all, or as many as the axis is long.
    behind = array.ndim - 1 - tensor.scales.axis if len(scales) > 1 else -1
    scales = scales.reshape(() if behind < 0 else (-1, *(1,) * behind))
    return (scales * (array.astype(np.float64) - meaning.zero)).astype(np.float32)
