"""Operands of two shapes: in the order in which the larger one is stored, and as wide as it.

Operators take operands of one shape, or one number per channel: the last axis of what is stored.
Floats may be broadcast in any other way, too; of codes that is written out before: constants when
compiling, others by `expand`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends import onnx_joins
from netgen.frontends.onnx_call import Known, Value
from netgen.frontends.onnx_order import broadcast_shape, widened
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.of_onnx import by_onnx
from netgen.ops.broadcast import Broadcast, per_channel
from netgen.ops.expand import Expand

Shape = tuple[int, ...]


def in_stored_order(
    a: Value | None, b: Value | None, make: Callable[[Value | None, Value | None], TensorView]
) -> TensorView:
    """Make of both what `make` does under axes in the order in which the larger tensor is stored.

    An axis that is stored last is one of channels then, wherever the file has it: that of a body
    of channels first, too. The result has the file's axes again.
    """
    rank = max(0 if each is None else len(each.shape) for each in (a, b))
    a, b = (None if each is None else _wide(each, rank) for each in (a, b))
    views = [each for each in (a, b) if isinstance(each, TensorView)]
    order = _stored_axes(max(views, key=lambda view: prod(view.shape))) if views else None
    if order is None or order == tuple(range(rank)):
        return make(a, b)
    back = tuple(order.index(axis) for axis in range(rank))
    return make(_turned(a, order), _turned(b, order)).transposed(back)


def _turned(value: Value | None, order: Shape) -> Value | None:
    if isinstance(value, TensorView):
        return value.transposed(order)
    return None if value is None else value.transpose(order)


def _wide(value: Value, rank: int) -> Value:
    if isinstance(value, TensorView):
        return widened(value, rank)
    return value.reshape((1,) * (rank - len(value.shape)) + value.shape)


def _stored_axes(view: TensorView) -> Shape | None:
    """The axes in the order in which they are stored, those of 1 in front; None if some mix."""
    place = {atom: at for at, atom in enumerate(view.storage)}
    firsts = [place[axis[0]] if axis else -1 for axis in view.axes]
    order = sorted(range(len(firsts)), key=lambda axis: firsts[axis])
    found = tuple(atom for axis in order for atom in view.axes[axis])
    return tuple(order) if found == view.storage else None


def fitting(
    call: Call, op: Broadcast, a: TensorView, b: TensorView
) -> tuple[TensorView, TensorView, Shape]:
    """Two tensors as the operator takes them, and the shape of the result.

    They change places where the second one may be one number per channel and the first may not.
    Floats need nothing else.
    """
    wide = broadcast_shape([a.shape, b.shape])
    if op.commutes and a.shape != wide and b.shape == wide:
        a, b = b, a
    if call.builder.kind(a).element.is_float:
        return a, b, wide
    channels = per_channel(wide)
    if a.shape == wide:
        return a, b if b.shape == channels else spread(call, b, wide), wide
    spared = "a" in op.spread_letters and a.shape == channels and b.shape == wide
    return a if spared else spread(call, a, wide), spread(call, b, wide), wide


def spread(call: Call, x: TensorView, shape: Shape) -> TensorView:
    """A tensor of as many axes, of which those of 1 are repeated up to a shape."""
    if x.shape == shape:
        return x
    made = call.builder.emit(Expand(shape), [call.builder.natural(x)], f"{call.name}.expand")
    return row_major(made, shape)


def tile(call: Call) -> TensorView:
    """TILE: as ONNX's."""
    return by_onnx(call, onnx_joins.tile, "Tile", {})


def broadcast_to(call: Call) -> TensorView:
    """BROADCAST_TO -> expand."""
    x, shape = call.tensor(), call.integers(1, "the shape")
    if min(shape, default=1) < 1 or broadcast_shape([x.shape, shape]) != shape:
        raise GraphError(
            "a shape that does not fit", expected=str(list(x.shape)), found=str(list(shape))
        )
    return spread(call, widened(x, len(shape)), shape)


def as_wide(call: Call, array: Known, shape: Sequence[int]) -> Known:
    """A constant as one number per channel if it is no more, else written out to a shape.

    Raises GraphError where it does not fit.
    """
    channels = per_channel(tuple(shape))
    for wanted in (channels, tuple(shape)):
        try:
            found = np.broadcast_to(array, wanted)
        except ValueError:
            continue
        call.budget.take(found.size)
        return found
    raise GraphError(
        "a constant operand has the wrong shape",
        expected=f"[1], {list(channels)} or {list(shape)}",
        found=str(list(array.shape)),
    )
