"""Operators that look at a tensor in another way, cut it, pad it or join several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import axis_of
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.shapes import (
    permutation,
    slice_cuts,
    split_cuts,
    squeezed_axes,
    strided_cuts,
    target_shape,
)
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import TensorType
from netgen.ops.channel_pad import ChannelPad
from netgen.ops.channel_slice import ChannelSlice
from netgen.ops.concat import Concat
from netgen.ops.mirror_pad import MirrorPad
from netgen.ops.pad import Pad
from netgen.ops.rescale import Rescale
from netgen.ops.spatial_slice import SpatialSlice


def reshape(call: Call) -> TensorView:
    """RESHAPE."""
    x = call.tensor()
    return call.builder.reshaped(x, target_shape(call, x.shape))


def squeeze(call: Call) -> TensorView:
    """SQUEEZE."""
    x = call.tensor()
    return _without(x, squeezed_axes(call, x.shape))


def _without(x: TensorView, dropped: Sequence[int]) -> TensorView:
    kept = tuple(axis for k, axis in enumerate(x.axes) if k not in dropped)
    return TensorView(x.value, x.storage, kept)


def expand_dims(call: Call) -> TensorView:
    """EXPAND_DIMS: an axis of 1."""
    x = call.tensor()
    at = call.axis(1, len(x.shape) + 1)
    return TensorView(x.value, x.storage, (*x.axes[:at], (), *x.axes[at:]))


def transpose(call: Call) -> TensorView:
    """TRANSPOSE."""
    x = call.tensor()
    return x.transposed(permutation(call, len(x.shape)))


def concatenation(call: Call) -> TensorView:
    """CONCATENATION -> concat: what lies behind the axis is taken as channels.

    Of uint8 operands come in scales of their own. Source: TensorFlow Lite,
    `reference/concatenation.h`, ConcatenationWithScaling; of int8 it refuses these.
    """
    tensors = [call.tensor(index) for index in range(len(call.inputs))]
    shape = tensors[0].shape
    axis = axis_of(call.integer("Axis"), len(shape))
    around = [(each.shape[:axis], each.shape[axis + 1 :]) for each in tensors]
    if any(each != around[0] for each in around):
        raise GraphError(
            "tensors that are joined differ in other axes",
            found=" and ".join(str(list(each.shape)) for each in tensors),
        )
    before, behind = around[0]
    extent = sum(each.shape[axis] for each in tensors)

    if call.activation() is not None:
        raise GraphError("an activation fused into it, which TensorFlow Lite does not run, either")
    tensors = [_in_scale(call, each, number) for number, each in enumerate(tensors)]
    flat = [_channels(call, each, axis) for each in tensors]
    return row_major(call.builder.emit(Concat(), flat, call.name), (*before, extent, *behind))


def _in_scale(call: Call, x: TensorView, number: int) -> TensorView:
    """A tensor of uint8 in the scale of the result, others as they are."""
    kind = call.builder.kind(x)
    if kind.dtype != "u8" or kind.quantisation is None or kind.alike(call.made[0].type()):
        return x
    codes = call.one_scale()
    op, title = Rescale(scale=codes.scale, zero=codes.zero), f"{call.name}.rescale_{number}"
    return replace(x, value=call.builder.emit(op, [x.value], title))


def _channels(call: Call, x: TensorView, axis: int) -> str:
    """A value whose channels are all that lies from `axis` on."""
    if axis == len(x.shape) - 1 and len(x.shape) in {2, 4}:
        return call.builder.natural(x)
    ahead, channels = x.shape[:axis], prod(x.shape[axis:])
    shape = (1, channels) if prod(ahead) == 1 else (1, 1, prod(ahead), channels)
    return call.builder.natural(call.builder.reshaped(x, shape))


def slices(call: Call) -> TensorView:
    """SLICE."""
    x = call.tensor()
    return _cut(call, x, slice_cuts(call, x.shape), call.name)


def strided_slice(call: Call) -> TensorView:
    """STRIDED_SLICE."""
    x = call.tensor()
    cuts, dropped = strided_cuts(call, x.shape)
    return _without(_cut(call, x, cuts, call.name), dropped)


def split(call: Call) -> Sequence[TensorView]:
    """SPLIT into equal parts: the axis is the first input, the tensor the second."""
    x = call.tensor(1)
    axis, count = call.axis(0, len(x.shape)), call.integer("NumSplits")
    if count < 1 or x.shape[axis] % count or count != len(call.made):
        raise GraphError("the parts are not equal", expected=f"{x.shape[axis]} in {len(call.made)}")
    return _parts(call, x, axis, [x.shape[axis] // count] * count)


def split_v(call: Call) -> Sequence[TensorView]:
    """SPLIT_V: the tensor, the lengths, of which one may be -1, the axis."""
    x = call.tensor()
    axis, lengths = call.axis(2, len(x.shape)), list(call.integers(1, "the lengths"))
    if lengths.count(-1) == 1:
        lengths[lengths.index(-1)] = x.shape[axis] - sum(lengths) - 1
    if len(lengths) != len(call.made):
        raise GraphError("another number of lengths than of results")
    return _parts(call, x, axis, lengths)


def _parts(call: Call, x: TensorView, axis: int, lengths: Sequence[int]) -> list[TensorView]:
    whole = [range(extent) for extent in x.shape]
    return [
        _cut(call, x, [*whole[:axis], places, *whole[axis + 1 :]], result.name)
        for result, places in zip(call.made, split_cuts(lengths, x.shape[axis]), strict=True)
    ]


def _cut(call: Call, x: TensorView, cuts: Sequence[range], name: str) -> TensorView:
    """Keep these places: of images in turn pixels and channels, else of one axis."""
    shape = [len(cut) for cut in cuts]
    cuts = [range(cut[0], cut[0] + 1) if len(cut) == 1 else cut for cut in cuts]
    part = [axis for axis, cut in enumerate(cuts) if len(cut) != x.shape[axis]]
    if not part:
        return x
    if len(part) == 1 and (part[0] == len(shape) - 1 or not _is_image(x)):
        return _cut_axis(call, x, cuts, part[0], name)
    if not _is_image(x):
        raise GraphError("only images can be cut in several axes", found=f"{list(x.shape)}")
    rows, columns, channels = cuts[1:]
    size, stride = (len(rows), len(columns)), (rows.step, columns.step)
    ops: list[Operator] = [SpatialSlice((rows.start, columns.start), size, stride)]
    if part[-1] == 3:
        ops.append(ChannelSlice(channels.start, len(channels), channels.step))
    return _in_turn(call, x, ops, shape, name)


def _is_image(x: TensorView) -> bool:
    return len(x.shape) == 4 and x.shape[0] == 1


def _cut_axis(call: Call, x: TensorView, cuts: Sequence[range], axis: int, name: str) -> TensorView:
    """Cut one axis of any tensor: what lies behind it is taken as channels."""
    cut, inner = cuts[axis], prod(x.shape[axis + 1 :])
    if cut.step != 1 and inner != 1:
        raise GraphError("only the last axis can be cut in steps", found=f"{list(x.shape)}")
    op = ChannelSlice(cut.start * inner, len(cut) * inner, cut.step)
    y = call.builder.emit(op, [_channels(call, x, axis)], name)
    return row_major(y, [len(each) for each in cuts])


def _in_turn(
    call: Call, x: TensorView, ops: Sequence[Operator], shape: Sequence[int], name: str
) -> TensorView:
    """Apply operators one after the other; the last one has the name of the result."""
    value = call.builder.natural(x)
    for op in ops:
        title = name if op is ops[-1] else f"{name}.{op.operator_name}"
        value = call.builder.emit(op, [value], title)
    return row_major(value, shape)


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
    if _is_image(x) and part[0] > 0:
        ops: list[Operator] = []
        if any((*sides[1], *sides[2])):
            ops.append(Pad((*sides[1], *sides[2])))
        if any(sides[3]):
            ops.append(ChannelPad(*sides[3]))
        return _in_turn(call, x, ops, shape, call.name)
    if len(part) > 1:
        raise GraphError("only images can be padded in several axes", found=f"{list(x.shape)}")
    inner = prod(x.shape[part[0] + 1 :])
    before, after = sides[part[0]]
    op = ChannelPad(before * inner, after * inner)
    y = call.builder.emit(op, [_channels(call, x, part[0])], call.name)
    return row_major(y, shape)


def mirror_pad(call: Call) -> TensorView:
    """MIRROR_PAD of rows and columns -> mirror_pad."""
    x = call.tensor()
    sides, mode = _sides(call, len(x.shape)), call.integer("Mode")
    if len(sides) != 4 or any((*sides[0], *sides[3])) or mode not in {0, 1}:
        raise GraphError("only rows and columns can be mirrored", found=f"{list(x.shape)}")
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
