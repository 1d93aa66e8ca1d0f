"""Operators that put a frame around a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.picked import as_channels, in_turn, is_one_image, mirrored
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import TensorType
from netgen.ops.channel_pad import ChannelPad
from netgen.ops.mirror_pad import MirrorPad
from netgen.ops.pad import Pad


def pad(call: Call) -> TensorView:
    """PAD, PADV2 -> pad for pixels; with zeros channel_pad for what is no image, or for channels.

    Of codes the value is one of theirs, and their zero point is 0.
    """
    x = call.tensor()
    rank = len(x.shape)
    sides = _sides(call, rank)
    value = _value(call, x)
    if value != 0.0:
        return _framed(call, x, sides, value)
    shape = [before + n + after for n, (before, after) in zip(x.shape, sides, strict=True)]
    part = [axis for axis, side in enumerate(sides) if any(side)]
    if not part:
        return x
    if is_one_image(x) and part[0] > 0:
        ops: list[Operator] = []
        if any((*sides[1], *sides[2])):
            ops.append(Pad((*sides[1], *sides[2])))
        if any(sides[3]):
            ops.append(ChannelPad(*sides[3]))
        return in_turn(call, x, ops, shape, call.name)
    for axis in part:
        inner, (before, after) = prod(x.shape[axis + 1 :]), sides[axis]
        op, shape = ChannelPad(before * inner, after * inner), list(x.shape)
        shape[axis] += before + after
        name = call.name if axis == part[-1] else f"{call.name}.{axis}"
        x = row_major(call.builder.emit(op, [as_channels(call, x, axis)], name), shape)
    return x


def mirror_pad(call: Call) -> TensorView:
    """MIRROR_PAD of rows and columns -> mirror_pad; of other axes slices and concat."""
    x = call.tensor()
    sides, mode = _sides(call, len(x.shape)), call.integer("Mode")
    if mode not in {0, 1}:
        raise GraphError("an unknown mode", found=str(mode))
    if not is_one_image(x) or any((*sides[0], *sides[3])):
        return mirrored(call, x, sides, ("reflect", "symmetric")[mode])
    op = MirrorPad((*sides[1], *sides[2]), ("reflect", "symmetric")[mode])
    y = call.builder.emit(op, [call.builder.image(x)], call.name)
    return row_major(y, call.builder.shape(y))


def _value(call: Call, x: TensorView) -> float:
    """The number that the frame holds, of codes counted from their zero point.

    Source: TensorFlow Lite, `pad.cc`, Eval: without a value the zero point, else the code as it is.
    """
    if call.given(2) is None:
        return 0.0
    value, kind = call.known(2, "the value"), call.builder.kind(x)
    if value.size != 1 or value.dtype != kind.element.storage:
        raise GraphError(
            "the value of the padding does not fit",
            expected=f"one {kind.dtype}",
            found=f"{value.dtype}{list(value.shape)}",
        )
    # The lowest number stands for what is below all.
    found = max(float(value.reshape(-1)[0]), float(np.finfo(np.float32).min))
    return found if kind.element.is_float else found - kind.zero


def _framed(
    call: Call, x: TensorView, sides: Sequence[tuple[int, int]], value: float
) -> TensorView:
    """An image in a frame of some value, or without, where only MAX_POOL_2D reads its lowest one.

    What stands for it there is left out in the end: nothing else reads it.
    """
    if len(sides) != 4 or any((*sides[0], *sides[3])):
        raise GraphError(
            "a padding with something other than zeros",
            expected="that of rows and columns",
            found=f"{value:g} around {list(x.shape)}",
        )
    image, borders = call.builder.image(x), (*sides[1], *sides[2])
    made = call.builder.emit(Pad(borders, value), [image], call.name)
    if call.readers == {"MAX_POOL_2D"} and value == _lowest(call.builder.kind(x)):
        call.builder.bordered[made] = image, borders
    return row_major(made, call.builder.shape(made))


def _lowest(kind: TensorType) -> float:
    """The lowest value that a frame can have."""
    return (
        float(np.finfo(np.float32).min) if kind.element.is_float else kind.element.low - kind.zero
    )


def _sides(call: Call, rank: int) -> list[tuple[int, int]]:
    """The padding before and behind every axis."""
    pads = call.known(1, "the paddings")
    if pads.shape != (rank, 2) or pads.dtype.kind not in "iu" or (pads < 0).any():
        raise GraphError(
            "a padding that cannot be",
            expected=f"two numbers of at least 0 for each of {rank} axes",
            found=f"{pads.dtype}{list(pads.shape)}",
        )
    return [(int(before), int(after)) for before, after in pads]
