"""Operators that join tensors, or make them longer: Concat, Pad, Expand, Tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call, axis_of, one_number
from netgen.frontends.onnx_cuts import cut, runs_of
from netgen.frontends.onnx_order import (
    as_tensor,
    broadcast_shape,
    order_of,
    parts_order,
    widened,
)
from netgen.frontends.onnx_shapes import sides_of
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.ir.operator import Input, Operator
from netgen.ir.rows import is_image
from netgen.ops.channel_pad import ChannelPad
from netgen.ops.concat import Concat
from netgen.ops.expand import Expand
from netgen.ops.mirror_pad import MirrorPad
from netgen.ops.pad import Pad
from netgen.ops.strided_slice import StridedSlice
from netgen.ops.table import Table

Sides = Sequence[tuple[int, int]]


def concat(call: Call) -> TensorView:
    """Concat along any axis -> concat, of what lies behind one another as channels."""
    tensors = [
        as_tensor(call, value, f"{call.name}.{number}")
        for number, value in enumerate(call.inputs)
        if not (isinstance(value, np.ndarray) and not value.size)
    ]
    return joined(call, tensors, axis_of(call.integer("axis"), len(tensors[0].shape)), call.name)


def joined(call: Call, tensors: Sequence[TensorView], axis: int, name: str) -> TensorView:
    """Tensors one behind the other along an axis: the axes behind it lie with it, as channels."""
    shape = list(tensors[0].shape)
    if any(
        len(t.shape) != len(shape)
        or any(a != b for at, (a, b) in enumerate(zip(t.shape, shape, strict=True)) if at != axis)
        for t in tensors
    ):
        raise GraphError(
            "tensors that do not fit are joined",
            expected=f"the shape {shape} but for axis {axis}",
            found=" and ".join(str(list(t.shape)) for t in tensors),
        )
    computed = [t for t in tensors if not isinstance(call.builder.nodes[t.value].op, Input | Table)]
    order = parts_order(call, max(computed or tensors, key=lambda t: prod(t.shape)))
    shape[axis] = sum(t.shape[axis] for t in tensors)
    place = order.perm.index(axis)
    values = []
    for tensor in tensors:
        stored = order.store(call.builder, tensor)
        if place < len(shape) - 1:
            lying = order.shape(tensor.shape)
            flat = (prod(lying[:place]), prod(lying[place:]))
            stored = call.builder.reshape(stored, flat)
        values.append(stored)
    y = call.builder.emit(Concat(), values, name) if len(values) > 1 else values[0]
    return order.view(call.builder.reshape(y, order.shape(shape)), shape)


def expand(call: Call) -> TensorView:
    """Expand to a shape, both ways."""
    shape = call.integers("shape", 1)
    if shape is None or min(shape, default=1) < 1:
        raise GraphError("the shape must be known, and hold something", found=str(shape))
    x = call.tensor()
    return expanded(call, x, broadcast_shape([x.shape, shape]), call.name)


def expanded(call: Call, x: TensorView, shape: Sequence[int], name: str) -> TensorView:
    """A tensor broadcast to a shape."""
    call.budget.take(prod(shape))
    wide = widened(x, len(shape))
    if wide.shape == tuple(shape):
        return wide
    order = order_of(wide)
    value = order.store(call.builder, wide)
    return order.view(call.builder.emit(Expand(order.shape(shape)), [value], name), shape)


def tile(call: Call) -> TensorView:
    """Tile: every axis repeated as a whole, by an axis of 1 before it that is expanded."""
    x = call.tensor()
    repeats = call.integers("repeats", 1)
    if repeats is None or len(repeats) != len(x.shape) or min(repeats, default=1) < 1:
        raise GraphError("a number of repeats for every axis", found=str(repeats))
    parted = replace(x, axes=tuple(axis for each in x.axes for axis in ((), each)))
    shape = [n for count, extent in zip(repeats, x.shape, strict=True) for n in (count, extent)]
    wide = expanded(call, parted, shape, call.name)
    return call.builder.reshaped(wide, [a * b for a, b in zip(repeats, x.shape, strict=True)])


def pad(call: Call) -> TensorView:
    """Pad by constants, by what is at the edge, by reflection, or all around; also negative.

    ONNX lists the beginnings of all axes, then the ends.
    """
    x = call.tensor()
    rank = len(x.shape)
    mode = call.string("mode", "constant")
    value = one_number(call.known(2, "constant_value"), 0.0, "constant_value")
    sides = sides_of(call, rank)
    x = _cropped(call, x, sides)
    sides = [(max(a, 0), max(b, 0)) for a, b in sides]
    shape = [a + n + b for n, (a, b) in zip(x.shape, sides, strict=True)]
    if mode not in {"constant", "edge", "reflect", "wrap"}:
        raise GraphError("an unknown mode of Pad", found=mode)
    order = parts_order(call, x)
    lying = [sides[axis] for axis in order.perm]
    ops = _of_images(order.shape(x.shape), lying, mode, value)
    if ops is not None:
        stored = order.store(call.builder, x)
        for op in ops:
            name = call.name if op is ops[-1] else f"{call.name}.{op.operator_name}"
            stored = call.builder.emit(op, [stored], name)
        return order.view(stored, shape)
    for axis, (before, after) in enumerate(sides):
        if before or after:
            x = _along(call, x, axis, (before, after), mode, value)
    return x


def _of_images(
    shape: tuple[int, ...], sides: Sides, mode: str, value: float
) -> list[Operator] | None:
    """The operators that pad images; None where they do not."""
    if not any(map(any, sides)):
        return []
    pixels = sides[1:-1] if is_image(shape) else ()
    if (any(map(any, sides[:-1])) and not is_image(shape)) or any(sides[0]):
        return None
    ops: list[Operator] = []
    if any(map(any, pixels)):
        (top, bottom), (left, right) = pixels
        if mode == "constant":
            ops.append(Pad((top, bottom, left, right), value))
        elif mode == "reflect" and max(top, bottom) < shape[1] and max(left, right) < shape[2]:
            ops.append(MirrorPad((top, bottom, left, right)))
        else:
            return None
    if any(sides[-1]):
        if mode != "constant" or value != 0.0:
            return None
        ops.append(ChannelPad(*sides[-1]))
    return ops


def _cropped(call: Call, x: TensorView, sides: Sides) -> TensorView:
    """The tensor without what negative sides take away."""
    if all(min(side) >= 0 for side in sides):
        return x
    order = order_of(x)
    kept = [range(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, sides, strict=True)]
    if not all(kept):
        raise GraphError("nothing is left of a padding", found=f"{list(sides)}")
    lying = [kept[axis] for axis in order.perm]
    op = StridedSlice(
        tuple(each.start for each in lying), tuple(map(len, lying)), (1,) * len(lying)
    )
    value = call.builder.emit(op, [order.store(call.builder, x)], f"{call.name}.cropped")
    return order.view(value, [len(each) for each in kept])


def _along(
    call: Call, x: TensorView, axis: int, sides: tuple[int, int], mode: str, value: float
) -> TensorView:
    """Pad one axis by what is joined to it before and behind."""
    extent = x.shape[axis]
    if mode == "constant":
        parts = [
            _filled(call, [n if at == axis else e for at, e in enumerate(x.shape)], value)
            if n
            else None
            for n in sides
        ]
        return joined(call, [p for p in (parts[0], x, parts[1]) if p is not None], axis, call.name)
    call.budget.take(16 * (extent + sum(sides)))
    at = np.arange(-sides[0], extent + sides[1])
    if mode == "edge":
        places = np.clip(at, 0, extent - 1)
    elif mode == "wrap":
        places = at % extent
    else:
        period = max(2 * (extent - 1), 1)
        places = (extent - 1) - np.abs((extent - 1) - at % period) if extent > 1 else at * 0
    cuts = [range(n) for n in x.shape]
    pieces = []
    for number, run in enumerate(runs_of(places.tolist())):
        cuts[axis] = run
        pieces.append(cut(call, x, order_of(x), cuts, f"{call.name}.{axis}.{number}"))
    return joined(call, pieces, axis, call.name)


def _filled(call: Call, shape: Sequence[int], value: float) -> TensorView:
    """A tensor of one number."""
    one = as_tensor(call, np.full((1,) * len(shape), value, np.float32), f"{call.name}.value")
    return expanded(call, one, shape, f"{call.name}.filled")
