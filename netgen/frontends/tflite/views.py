"""Operators that look at a tensor in another way, cut it or join several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

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
from netgen.ops.channel_slice import ChannelSlice
from netgen.ops.concat import Concat
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
    return _with_axis(x, call.axis(1, len(x.shape) + 1))


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
    if call.activation() is not None:
        raise GraphError("an activation fused into it, which TensorFlow Lite does not run, either")
    return _joined(call, tensors, axis_of(call.integer("Axis"), len(tensors[0].shape)))


def pack(call: Call) -> TensorView:
    """PACK -> concat along a new axis."""
    tensors = [call.tensor(index) for index in range(len(call.inputs))]
    axis = axis_of(call.integer("Axis"), len(tensors[0].shape) + 1)
    return _joined(call, [_with_axis(each, axis) for each in tensors], axis)


def unpack(call: Call) -> Sequence[TensorView]:
    """UNPACK: a cut for each place of an axis, which goes."""
    x = call.tensor()
    axis = axis_of(call.integer("Axis"), len(x.shape))
    if len(call.made) != x.shape[axis]:
        raise GraphError("another number of results than the axis is long")
    return [_without(part, [axis]) for part in _parts(call, x, axis, [1] * x.shape[axis])]


def _with_axis(x: TensorView, at: int) -> TensorView:
    """The tensor with an axis of 1."""
    return TensorView(x.value, x.storage, (*x.axes[:at], (), *x.axes[at:]))


def _joined(call: Call, tensors: Sequence[TensorView], axis: int) -> TensorView:
    around = [(each.shape[:axis], each.shape[axis + 1 :]) for each in tensors]
    if any(each != around[0] for each in around):
        raise GraphError(
            "tensors that are joined differ in other axes",
            found=" and ".join(str(list(each.shape)) for each in tensors),
        )
    before, behind = around[0]
    extent = sum(each.shape[axis] for each in tensors)
    tensors = [_in_scale(call, each, number) for number, each in enumerate(tensors)]
    flat = [as_channels(call, each, axis) for each in tensors]
    return row_major(call.builder.emit(Concat(), flat, call.name), (*before, extent, *behind))


def _in_scale(call: Call, x: TensorView, number: int) -> TensorView:
    """A tensor of uint8 in the scale of the result, others as they are."""
    kind = call.builder.kind(x)
    if kind.dtype != "u8" or kind.quantisation is None or kind.alike(call.made[0].type()):
        return x
    codes = call.one_scale()
    op, title = Rescale(scale=codes.scale, zero=codes.zero), f"{call.name}.rescale_{number}"
    return replace(x, value=call.builder.emit(op, [x.value], title))


def as_channels(call: Call, x: TensorView, axis: int) -> str:
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
    if len(part) == 1 and (part[0] == len(shape) - 1 or not is_image(x)):
        return _cut_axis(call, x, cuts, part[0], name)
    if not is_image(x):
        raise GraphError("only images can be cut in several axes", found=f"{list(x.shape)}")
    rows, columns, channels = cuts[1:]
    size, stride = (len(rows), len(columns)), (rows.step, columns.step)
    ops: list[Operator] = [SpatialSlice((rows.start, columns.start), size, stride)]
    if part[-1] == 3:
        ops.append(ChannelSlice(channels.start, len(channels), channels.step))
    return in_turn(call, x, ops, shape, name)


def is_image(x: TensorView) -> bool:
    """Whether a tensor is [1,H,W,C]."""
    return len(x.shape) == 4 and x.shape[0] == 1


def _cut_axis(call: Call, x: TensorView, cuts: Sequence[range], axis: int, name: str) -> TensorView:
    """Cut one axis of any tensor: what lies behind it is taken as channels."""
    cut, inner = cuts[axis], prod(x.shape[axis + 1 :])
    if cut.step != 1 and inner != 1:
        raise GraphError("only the last axis can be cut in steps", found=f"{list(x.shape)}")
    op = ChannelSlice(cut.start * inner, len(cut) * inner, cut.step)
    y = call.builder.emit(op, [as_channels(call, x, axis)], name)
    return row_major(y, [len(each) for each in cuts])


def in_turn(
    call: Call, x: TensorView, ops: Sequence[Operator], shape: Sequence[int], name: str
) -> TensorView:
    """Apply operators one after the other; the last one has the name of the result."""
    value = call.builder.natural(x)
    for op in ops:
        title = name if op is ops[-1] else f"{name}.{op.operator_name}"
        value = call.builder.emit(op, [value], title)
    return row_major(value, shape)
