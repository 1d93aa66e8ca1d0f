"""Elementwise operators: sums, differences, products, activations, softmax; and codes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_activations import gated_by_itself, written_out
from netgen.frontends.onnx_call import Known, Value
from netgen.frontends.onnx_tensor_view import TensorView, alike, row_major
from netgen.frontends.tflite.call import Call
from netgen.ir.operator import Operator
from netgen.ops.add import Add
from netgen.ops.broadcast import per_channel
from netgen.ops.dequantize import Dequantize
from netgen.ops.hard_swish import HardSwish
from netgen.ops.leaky_relu import LeakyRelu
from netgen.ops.mul import Mul
from netgen.ops.quantize import Quantize
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.ops.sigmoid import Sigmoid
from netgen.ops.softmax import Softmax

Floats = npt.NDArray[np.float64]


def _activated(op: Operator, call: Call) -> TensorView:
    """Activate the first input: the order of its elements stays, whatever it is."""
    x = call.tensor()
    return replace(x, value=call.builder.emit(op, [x.value], call.name))


relu = partial(_activated, Relu())
relu6 = partial(_activated, Relu6())
hard_swish = partial(_activated, HardSwish())
logistic = partial(_activated, Sigmoid())


def leaky_relu(call: Call) -> TensorView:
    """LEAKY_RELU."""
    return _activated(LeakyRelu(call.floating("Alpha")), call)


def softmax(call: Call) -> TensorView:
    """SOFTMAX over the last axis of x * beta."""
    x = call.tensor()
    if (beta := call.floating("Beta")) != 1.0:
        x = call.builder.affine(x, np.array([beta]), np.zeros(1), f"{call.name}.scaled")
    y = call.builder.emit(Softmax(), [call.builder.natural(x)], call.name)
    return row_major(y, x.shape)


def add(call: Call) -> TensorView:
    """ADD of two tensors -> add; of a constant -> a bias, batch_norm, or add."""
    return call.activated(lambda name: _sum(call, name, call.given(0), call.given(1)))


def sub(call: Call) -> TensorView:
    """SUB: the second operand is negated, which is exact, and added."""
    a, b = call.given(0), call.given(1)
    negated: Value | None
    if isinstance(b, TensorView):
        minus, none = np.array([-1.0]), np.zeros(1)
        negated = call.builder.affine(b, minus, none, f"{call.name}.negated")
    else:
        negated = np.negative(_floats(b))
    return call.activated(lambda name: _sum(call, name, a, negated))


def _sum(call: Call, name: str, a: Value | None, b: Value | None) -> TensorView:
    if isinstance(a, TensorView) and isinstance(b, TensorView):
        return _of_two(Add(), call, a, b, name)
    return _with_constant(call, Add(), a, b, name)


def mul(call: Call) -> TensorView:
    """MUL of two tensors -> mul, or hard_swish; by a constant -> batch_norm or mul."""
    return call.activated(lambda name: _product(call, name, call.given(0), call.given(1)))


def _product(call: Call, name: str, a: Value | None, b: Value | None) -> TensorView:
    if not isinstance(a, TensorView) or not isinstance(b, TensorView):
        return _with_constant(call, Mul(), a, b, name)
    if (x := gated_by_itself(call.builder, a, b)) is not None:
        return replace(x, value=call.builder.emit(HardSwish(), [x.value], name))
    return _of_two(Mul(), call, a, b, name)


def div(call: Call) -> TensorView:
    """DIV by a constant -> batch_norm or mul."""
    divisor = _floats(call.known(1, "the divisor"))
    if not divisor.all():
        raise GraphError("a tensor is divided by zero")
    x = call.tensor()
    return call.activated(lambda name: _with_constant(call, Mul(), x, 1.0 / divisor, name))


def _of_two(op: Operator, call: Call, a: TensorView, b: TensorView, name: str) -> TensorView:
    """Two tensors of one shape, or one of them one number per channel.

    In place if they lie alike, else both in the order of the file.
    """
    builder = call.builder
    if alike(a, b) and builder.shape(a.value) == builder.shape(b.value):
        return replace(a, value=builder.emit(op, [a.value, b.value], name))
    a, b = _wide(a, len(b.shape)), _wide(b, len(a.shape))
    if b.shape != a.shape and a.shape == per_channel(b.shape):
        a, b = b, a
    y = builder.emit(op, [builder.natural(a), builder.natural(b)], name)
    return row_major(y, a.shape)


def _wide(x: TensorView, rank: int) -> TensorView:
    """The tensor with axes of 1 in front, as broadcasting adds them."""
    return replace(x, axes=((),) * (rank - len(x.shape)) + x.axes)


def _with_constant(
    call: Call, op: Add | Mul, a: Value | None, b: Value | None, name: str
) -> TensorView:
    """A constant added or multiplied: one number, one per channel, or one per element."""
    x, constant = (a, b) if isinstance(a, TensorView) else (b, a)
    given = _floats(constant)
    if not isinstance(x, TensorView):
        raise GraphError("both operands are constants")
    shape = (1,) * (len(x.shape) - given.ndim) + given.shape
    if given.size == 1 or shape == per_channel(x.shape):
        return _affine(call, op, x, given.reshape(-1), name)
    if shape != x.shape:
        raise GraphError(
            "a constant operand has the wrong shape",
            expected=f"[1], {list(per_channel(x.shape))} or {list(x.shape)}",
            found=f"{list(given.shape)}",
        )
    second = call.builder.constant(f"{name}.b", given.reshape(shape))
    return row_major(call.builder.emit(op, [call.builder.natural(x), second], name), x.shape)


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
    """QUANTIZE -> quantize, to the codes of the result's tensor."""
    x, codes = call.tensor(), call.one_scale()
    op = Quantize(codes.scale, codes.zero, codes.dtype)
    return replace(x, value=call.builder.emit(op, [x.value], call.name))


def dequantize(call: Call) -> TensorView:
    """DEQUANTIZE of codes -> dequantize."""
    x = call.tensor()
    return replace(x, value=call.builder.emit(Dequantize(), [x.value], call.name))


def widened(call: Call) -> Known:
    """DEQUANTIZE of a constant of float16: its float32."""
    array = call.known(0, "the operand")
    if array.dtype != np.float16:
        raise WeightsError(
            "a constant of codes is not supported here", expected="float16", found=str(array.dtype)
        )
    call.budget.take(array.size)
    return np.asarray(array, np.float32)
