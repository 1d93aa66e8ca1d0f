"""Elementwise operators: sums and products, arithmetic with constants; and softmax."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_activations import gated_by_itself, written_out
from netgen.frontends.onnx_call import Call, Value, axis_of
from netgen.frontends.onnx_tensor_view import TensorView, alike
from netgen.ops.add import Add
from netgen.ops.argmax import Argmax
from netgen.ops.broadcast import Broadcast
from netgen.ops.hard_swish import HardSwish
from netgen.ops.mul import Mul
from netgen.ops.prelu import Prelu
from netgen.ops.softmax import Softmax
from netgen.ops.sub import Sub

Floats = npt.NDArray[np.float64]


def softmax(call: Call) -> TensorView:
    """Softmax over the channels.

    Source: ONNX operators, Softmax: the axis is the last one by default; before opset 13 it is 1 by
    default, and all axes behind it are summed over as well.
    """
    x = call.tensor()
    rank = len(x.shape)
    axis = axis_of(call.integer("axis", -1 if call.opset >= 13 else 1), rank)
    channels = 1 if rank == 4 else rank - 1
    behind = x.shape[axis + 1 :] if call.opset < 13 else ()
    if axis != channels or prod(behind) > 1:
        raise GraphError(
            "only the softmax over channels is supported",
            expected=f"axis {channels} of {list(x.shape)}",
            found=f"axis {axis}" + (" and all behind it" if behind else ""),
        )
    value = call.builder.emit(Softmax(), [call.builder.natural(x)], call.name)
    return call.builder.view(value, x.shape)


def arg_max(call: Call) -> TensorView:
    """ArgMax over the channels -> argmax, whose results are int32; ONNX has int64."""
    x = call.tensor()
    rank = len(x.shape)
    axis = axis_of(call.integer("axis", 0), rank)
    if axis != _channel_axis(rank) or call.flag("select_last_index") or rank < 2:
        raise GraphError(
            "only the first maximum over channels is supported",
            expected=f"axis {_channel_axis(rank)} of {list(x.shape)}",
            found=f"axis {axis}",
        )
    y = call.builder.emit(Argmax(), [call.builder.natural(x)], call.name)
    kept = [1 if at == axis else extent for at, extent in enumerate(x.shape)]
    view = call.builder.view(y, kept)
    if call.flag("keepdims", 1):
        return view
    return call.builder.reshaped(view, [*x.shape[:axis], *x.shape[axis + 1 :]])


def add(call: Call) -> TensorView:
    """Add of two tensors -> add; of a constant per channel -> a bias, or batch_norm."""
    a, b = _both(call)
    if isinstance(a, TensorView) and isinstance(b, TensorView):
        return _of_two(Add(), call, a, b)
    x, constant = (a, b) if isinstance(a, TensorView) else (b, a)
    return _affine(call, x, None, constant)


def mul(call: Call) -> TensorView:
    """Mul of two tensors -> mul; by a constant per channel -> batch_norm.

    x times hard_sigmoid(x) -> hard_swish: opsets before 14 have no HardSwish.
    """
    a, b = _both(call)
    if isinstance(a, TensorView) and isinstance(b, TensorView):
        if (factor := gated_by_itself(call.builder, a, b)) is not None:
            value = call.builder.emit(HardSwish(), [factor.value], call.name)
            return replace(factor, value=value)
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
    """PRelu, whose slopes are one for all, one for each channel or element, or computed."""
    x, slopes = call.tensor(), call.given(1)
    if isinstance(slopes, TensorView):
        return _of_two(Prelu(), call, x, slopes)
    given = _floats(call, slopes)
    wide = (1,) * (len(x.shape) - given.ndim) + given.shape
    if given.size == 1:
        wide = _pooled(x.shape)
    if wide not in {x.shape, _pooled(x.shape)}:
        raise GraphError(
            "the slopes have the wrong shape",
            expected=f"[1], {list(_pooled(x.shape))} or {list(x.shape)}",
            found=f"{list(given.shape)}",
        )
    each = np.broadcast_to(given.reshape(-1), wide) if given.size == 1 else given.reshape(wide)
    return _elementwise(call, x, Prelu(), each)


def div(call: Call) -> TensorView:
    """Div by a constant -> batch_norm, or the end of an activation that is written out."""
    x, divisor = call.tensor(), _floats(call, call.given(1))
    if not divisor.all():
        raise GraphError("a tensor is divided by zero")
    return _affine(call, x, 1.0 / divisor, None)


def _both(call: Call) -> tuple[Value | None, Value | None]:
    return call.given(0), call.given(1)


def _of_two(op: Broadcast, call: Call, a: TensorView, b: TensorView) -> TensorView:
    """Two tensors of one shape, or one of them one number per channel: [1,C,1,1].

    In place if they lie alike, else both in netgen's order.
    """
    builder = call.builder
    if alike(a, b) and builder.shape(a.value) == builder.shape(b.value):
        return replace(a, value=builder.emit(op, [a.value, b.value], call.name))
    spread_first = b.shape != a.shape and a.shape == _pooled(b.shape)
    if spread_first and op.commutes:
        a, b = b, a
    if b.shape not in (a.shape, _pooled(a.shape)) and not (spread_first and isinstance(op, Sub)):
        raise GraphError(
            "two tensors whose shapes do not fit",
            expected=f"{list(a.shape)} or {list(_pooled(a.shape))}",
            found=f"{list(b.shape)}",
        )
    operands = [builder.natural(a), builder.natural(b)]
    wide = b.shape if spread_first and not op.commutes else a.shape
    return builder.view(builder.emit(op, operands, call.name), wide)


def _pooled(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of one number per channel beside an ONNX tensor."""
    channels = _channel_axis(len(shape))
    return tuple(extent if axis == channels else 1 for axis, extent in enumerate(shape))


def _channel_axis(rank: int) -> int:
    """Axis 1 of rank 4, the last one of other ranks, as netgen stores them."""
    return 1 if rank == 4 else rank - 1


def _affine(call: Call, x: Value | None, scale: Value | None, shift: Value | None) -> TensorView:
    """Compute x * scale + shift with constants: one number, one per channel, or one per element."""
    if not isinstance(x, TensorView):
        raise GraphError("both operands are constants")
    given = _floats(call, scale if shift is None else shift)
    wide = (1,) * (len(x.shape) - given.ndim) + given.shape
    if wide == x.shape and wide != _pooled(x.shape) and (scale is None or shift is None):
        return _elementwise(call, x, Mul() if shift is None else Add(), given.reshape(wide))
    fits = given.size == 1 or wide == _pooled(x.shape)
    if not fits or len(wide) != len(x.shape):
        raise GraphError(
            "a constant operand has the wrong shape",
            expected=f"[1], {list(_pooled(x.shape))} or {list(x.shape)}",
            found=f"{list(given.shape)}",
        )
    by = np.ones(1) if scale is None else _floats(call, scale).reshape(-1)
    to = np.zeros(1) if shift is None else _floats(call, shift).reshape(-1)
    if shift is None and (activation := written_out(call.builder, x.value, by)) is not None:
        op, operand = activation
        return replace(x, value=call.builder.emit(op, [operand], call.name))
    if scale is None and (biased := call.builder.with_bias(x, to, call.name)) is not None:
        return biased
    return call.builder.affine(x, by, to, call.name)


def _elementwise(call: Call, x: TensorView, op: Broadcast, array: Floats) -> TensorView:
    """A constant of the tensor's own rank, stored as netgen stores it."""
    stored = array.transpose(0, 2, 3, 1) if array.ndim == 4 else array
    b = call.builder.constant(f"{call.name}.b", stored)
    y = call.builder.emit(op, [call.builder.natural(x), b], call.name)
    return call.builder.view(y, x.shape)


def _floats(call: Call, array: Value | None) -> Floats:
    if array is None or isinstance(array, TensorView):
        raise GraphError("an operand is missing, or is no constant")
    if array.dtype not in (np.float32, np.float64):
        raise WeightsError(
            "a constant operand has an element type that netgen does not read",
            expected="float32",
            found=str(array.dtype),
        )
    call.budget.take(array.size)
    return np.asarray(array, np.float64)
