"""Elementwise operators of two and more operands; arithmetic with constants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isfinite, prod
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_activations import gated_by_itself, written_out
from netgen.frontends.onnx_call import Call, Known, Value, one_number
from netgen.frontends.onnx_order import (
    broadcast_shape,
    emit_aligned,
    floats,
    order_of,
)
from netgen.frontends.onnx_tensor_view import TensorView, alike
from netgen.ir.operator import Operator
from netgen.ops.add import Add
from netgen.ops.broadcast import Broadcast
from netgen.ops.div import Div
from netgen.ops.mul import Mul
from netgen.ops.power import Power
from netgen.ops.prelu import Prelu
from netgen.ops.sqrt import Sqrt
from netgen.ops.sub import Sub
from netgen.ops.where import Where

Floats = npt.NDArray[np.float64]
Mapping: TypeAlias = "Callable[[Call], TensorView]"

# Whole exponents up to this one are products: each doubling doubles the rounding error.
_MOST_FACTORS = 1024


def add(call: Call) -> TensorView:
    """Add of two tensors -> add; of a constant per channel -> a bias, or batch_norm."""
    a, b = _both(call)
    if isinstance(a, TensorView) and isinstance(b, TensorView):
        return _of_two(Add(), call, a, b)
    x, constant = (a, b) if isinstance(a, TensorView) else (b, a)
    return _affine(call, x, None, constant)


def mul(call: Call) -> TensorView:
    """Mul of two tensors -> mul; by a constant per channel -> batch_norm.

    x times hard_sigmoid(x) -> hard_swish: opsets before 14 have no HardSwish; x times sigmoid(x)
    -> silu.
    """
    a, b = _both(call)
    if isinstance(a, TensorView) and isinstance(b, TensorView):
        if (gated := gated_by_itself(call.builder, a, b)) is not None:
            return _applied(call, *gated)
        return _of_two(Mul(), call, a, b)
    x, constant = (a, b) if isinstance(a, TensorView) else (b, a)
    return _affine(call, x, constant, None)


def sub(call: Call) -> TensorView:
    """Sub of two tensors -> sub; with one constant -> a bias, or batch_norm."""
    a, b = _both(call)
    if isinstance(a, TensorView) and isinstance(b, TensorView):
        return _of_two(Sub(), call, a, b)
    if isinstance(a, TensorView):
        return _affine(call, a, None, np.negative(_floats(call, b)))
    return _affine(call, b, np.array(-1.0), a)


def prelu(call: Call) -> TensorView:
    """PRelu, whose slopes are broadcast to x."""
    x, slopes = call.tensor(), _operand(call, 1)
    if len(slopes.shape) > len(x.shape) or broadcast_shape([x.shape, slopes.shape]) != x.shape:
        raise GraphError(
            "the slopes have the wrong shape",
            expected=f"one that is broadcast to {list(x.shape)}",
            found=f"{list(slopes.shape)}",
        )
    if isinstance(slopes, np.ndarray) and slopes.ndim:
        slopes = _per_channel(x, slopes)
    return emit_aligned(call, Prelu(), [x, slopes], call.name)


def _per_channel(x: TensorView, slopes: Known) -> Known:
    """One slope for all as one for each channel, for which there are kernels in vectors."""
    rank = len(x.shape)
    if slopes.size > 1 or rank < 2:
        return slopes
    shape = [1] * rank
    shape[order_of(x).perm[-1]] = x.shape[order_of(x).perm[-1]]
    return np.broadcast_to(slopes.reshape((1,) * rank), shape)


def div(call: Call) -> TensorView:
    """Div by a constant -> batch_norm, or the end of an activation that is written out."""
    x, divisor = call.given(0), _operand(call, 1)
    if isinstance(x, TensorView) and isinstance(divisor, np.ndarray):
        given = _floats(call, divisor)
        if given.all() and np.isfinite(1.0 / given).all():
            return _affine(call, x, 1.0 / given, None)
    return emit_aligned(call, Div(), [_operand(call, 0), divisor], call.name)


def several(
    op: Broadcast, after: Callable[[Call, TensorView], TensorView] | None = None
) -> Mapping:
    """Make the mapping of an operator of one or more operands, taken one after the other."""

    def mapping(call: Call) -> TensorView:
        operands = [_operand(call, index) for index in range(len(call.inputs))]
        total = operands[0]
        for place, operand in enumerate(operands[1:], start=2):
            last = place == len(operands) and after is None
            name = call.name if last else f"{call.name}.{place}"
            total = (
                np.asarray(op.combine(floats(call, total), floats(call, operand)))
                if isinstance(total, np.ndarray) and isinstance(operand, np.ndarray)
                else emit_aligned(call, op, [total, operand], name)
            )
        if not isinstance(total, TensorView):
            raise GraphError("all operands are constants")
        return total if after is None else after(call, total)

    return mapping


def divided_by_count(call: Call, total: TensorView) -> TensorView:
    """A sum as the mean of so many operands."""
    return call.builder.affine(
        total, np.array([1.0 / len(call.inputs)]), np.zeros(1), f"{call.name}.mean"
    )


def compare(op: Broadcast, *, exchanged: bool = False, negated: bool = False) -> Mapping:
    """Make the mapping of a comparison, whose result is a mask of floats."""

    def mapping(call: Call) -> TensorView:
        operands = [_operand(call, 0), _operand(call, 1)]
        mask = emit_aligned(call, op, operands[::-1] if exchanged else operands, call.name)
        return logical_not_of(call, mask) if negated else mask

    return mapping


def logical_not_of(call: Call, mask: TensorView) -> TensorView:
    """1 less a mask of floats."""
    return call.builder.affine(mask, np.array([-1.0]), np.ones(1), f"{call.name}.not")


def logical_not(call: Call) -> TensorView:
    """Not: masks are floats of 0 and 1."""
    return logical_not_of(call, call.tensor())


def where(call: Call) -> TensorView:
    """An ONNX Where, whose condition is a mask of floats, or known."""
    operands = [_operand(call, index) for index in range(3)]
    return emit_aligned(call, Where(), operands, call.name, tables=True)


def power(call: Call) -> Value:
    """Pow by a constant: products, roots, quotients; other exponents -> power.

    By zero everything becomes 1. Powers by logarithms have no results below zero, nor have other
    exponents than whole ones.
    """
    x, exponent = call.tensor(), one_number(call.known(1, "the exponent"), 1.0, "the exponent")
    wide = broadcast_shape([x.shape, _operand(call, 1).shape])
    if wide != x.shape:
        raise GraphError("the exponent has more axes than x", found=f"{list(wide)}")
    _check_exponent(exponent)
    if exponent == 0.0:
        call.budget.take(prod(x.shape))
        return np.ones(x.shape, np.float32)
    if exponent.is_integer():
        found = _product(call, x, int(abs(exponent)))
    elif exponent in (0.5, -0.5):
        found = _applied(call, Sqrt(), x)
    else:
        return _applied(call, Power(exponent), x)
    if exponent > 0:
        return found
    return emit_aligned(call, Div(), [np.ones((), np.float32), found], f"{call.name}.reciprocal")


def _check_exponent(exponent: float) -> None:
    if isfinite(exponent) and (not exponent.is_integer() or abs(exponent) <= _MOST_FACTORS):
        return
    raise GraphError(
        "an exponent that is not supported",
        expected=f"a fraction, or a whole number of at most {_MOST_FACTORS}",
        found=str(exponent),
    )


def _product(call: Call, x: TensorView, count: int) -> TensorView:
    """X times itself, in as few products as squares make it."""
    found: TensorView | None = None
    square = x
    while count:
        if count % 2:
            found = square if found is None else _times(call, found, square)
        count //= 2
        square = _times(call, square, square) if count else square
    assert found is not None
    return found


def _times(call: Call, a: TensorView, b: TensorView) -> TensorView:
    return replace(a, value=call.builder.emit(Mul(), [a.value, b.value], call.name))


def _applied(call: Call, op: Operator, x: TensorView) -> TensorView:
    return replace(x, value=call.builder.emit(op, [x.value], call.name))


def quotient_of_root(call: Call, x: TensorView, square: TensorView, eps: float) -> TensorView:
    """X over the root of a square and a small number."""
    name = call.name
    total = call.builder.affine(square, np.ones(1), np.array([eps]), f"{name}.eps")
    root = replace(total, value=call.builder.emit(Sqrt(), [total.value], f"{name}.root"))
    return emit_aligned(call, Div(), [x, root], f"{name}.normal")


def reciprocal(call: Call) -> TensorView:
    """Reciprocal -> div of 1."""
    return emit_aligned(call, Div(), [np.ones((), np.float32), call.tensor()], call.name)


def negative(call: Call) -> TensorView:
    """Neg -> batch_norm."""
    return call.builder.affine(call.tensor(), np.array([-1.0]), np.zeros(1), call.name)


def _operand(call: Call, index: int) -> Value:
    value = call.given(index)
    if value is None:
        raise GraphError(f"operand {index + 1} is missing")
    return value


def _both(call: Call) -> tuple[Value | None, Value | None]:
    return call.given(0), call.given(1)


def _of_two(op: Broadcast, call: Call, a: TensorView, b: TensorView) -> TensorView:
    """Two tensors: in place if they lie alike, else in the order of one of them."""
    builder = call.builder
    if alike(a, b) and builder.shape(a.value) == builder.shape(b.value):
        return replace(a, value=builder.emit(op, [a.value, b.value], call.name))
    if op.commutes and a.shape != b.shape and prod(a.shape) < prod(b.shape):
        a, b = b, a
    return emit_aligned(call, op, [a, b], call.name)


def _pooled(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of one number per channel beside an ONNX tensor."""
    channels = 1 if len(shape) == 4 else len(shape) - 1
    return tuple(extent if axis == channels else 1 for axis, extent in enumerate(shape))


def _affine(call: Call, x: Value | None, scale: Value | None, shift: Value | None) -> TensorView:
    """Compute x * scale + shift with constants; one of the two is nothing, or one number.

    One number, or one per channel, becomes a batch norm, which layers take in.
    """
    if not isinstance(x, TensorView):
        raise GraphError("both operands are constants")
    given = _floats(call, scale if shift is None else shift)
    by = np.ones(1) if scale is None else _floats(call, scale).reshape(-1)
    to = np.zeros(1) if shift is None else _floats(call, shift).reshape(-1)
    wide = (1,) * (len(x.shape) - given.ndim) + given.shape
    fits = len(wide) == len(x.shape) and broadcast_shape([x.shape, wide]) == x.shape
    if shift is None and fits and (formula := written_out(call.builder, x.value, by)) is not None:
        op, operand = formula
        return replace(x, value=call.builder.emit(op, [operand], call.name))
    if fits and (given.size == 1 or wide == _pooled(x.shape)):
        if scale is None and (biased := call.builder.with_bias(x, to, call.name)) is not None:
            return biased
        if given.size == 1 or (len(x.shape) == 4 and x.shape[0] == 1):
            return call.builder.affine(x, by, to, call.name)
    if fits and wide == order_of(x).last(x.shape):
        order = order_of(x)
        value = order.store(call.builder, x)
        return order.view(call.builder.normed(value, by, to, call.name), x.shape)
    if scale is not None and shift is not None:
        return emit_aligned(call, Sub(), [given, x], call.name)
    combined: Broadcast = Mul() if shift is None else Add()
    return emit_aligned(call, combined, [x, given], call.name)


def _floats(call: Call, array: Value | None) -> Floats:
    if array is None or isinstance(array, TensorView):
        raise GraphError("an operand is missing, or is no constant")
    if array.dtype.kind != "f":
        raise WeightsError(
            "a constant operand has an element type that netgen does not read",
            expected="float32",
            found=str(array.dtype),
        )
    return floats(call, array)
