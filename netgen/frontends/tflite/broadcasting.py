"""Operands of two shapes: in the order in which the larger one is stored, and as wide as it.

Operators take operands of one shape, or one number per channel: the last axis of what is stored.
Floats may be broadcast in any other way, too; of codes that is written out before: constants when
compiling, others by `expand`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Known, Value
from netgen.frontends.onnx_order import broadcast_shape
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call
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
    """The value with axes of 1 in front, as broadcasting adds them."""
    missing = rank - len(value.shape)
    if isinstance(value, TensorView):
        return replace(value, axes=((),) * missing + value.axes)
    return value.reshape((1,) * missing + value.shape)


def _stored_axes(view: TensorView) -> Shape | None:
    """The axes in the order in which they are stored, those of 1 in front; None if some mix."""
    place = {atom: at for at, atom in enumerate(view.storage)}
    firsts = [place[axis[0]] if axis else -1 for axis in view.axes]
    order = sorted(range(len(firsts)), key=lambda axis: firsts[axis])
    found = tuple(atom for axis in order for atom in view.axes[axis])
    return tuple(order) if found == view.storage else None


def common_shape(*values: Value) -> Shape:
    """The shape that values have together; raises GraphError where they have none."""
    try:
        return np.broadcast_shapes(*(value.shape for value in values))
    except ValueError:
        raise GraphError(
            "shapes that do not fit each other",
            expected="axes of one extent, or of 1",
            found=" and ".join(str(list(value.shape)) for value in values),
        ) from None


def fitting(
    call: Call, op: Broadcast, a: TensorView, b: TensorView
) -> tuple[TensorView, TensorView, Shape]:
    """Two tensors as the operator takes them, and the shape of the result.

    They change places where the second one may be one number per channel and the first may not.
    Floats need nothing else.
    """
    wide = common_shape(a, b)
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
    """TILE -> expand, of axes of 1 before those that are repeated."""
    x, times = call.tensor(), call.integers(1, "the multiples")
    if len(times) != len(x.shape) or min(times, default=1) < 1:
        raise GraphError(
            "the multiples do not fit",
            expected=f"one for each of {list(x.shape)}",
            found=str(times),
        )
    single = call.builder.reshaped(x, tuple(n for extent in x.shape for n in (1, extent)))
    wide = spread(call, single, tuple(chain(*zip(times, x.shape, strict=True))))
    shape = [n * extent for n, extent in zip(times, x.shape, strict=True)]
    return call.builder.reshaped(wide, shape)


def broadcast_to(call: Call) -> TensorView:
    """BROADCAST_TO -> expand."""
    x, shape = call.tensor(), call.integers(1, "the shape")
    wide = _wide(x, len(shape))
    assert isinstance(wide, TensorView)  # as x is
    if min(shape, default=1) < 1 or broadcast_shape([wide.shape, shape]) != shape:
        raise GraphError("a shape that does not fit", expected=str(list(x.shape)), found=str(shape))
    return spread(call, wide, shape)


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
