"""Operators that cut and join tensors: Concat, Gather, Split, Slice, Pad."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call, axis_of, one_number
from netgen.frontends.onnx_shapes import slices_of
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.ir.operator import Operator
from netgen.ops.channel_map import channel_map_op
from netgen.ops.channel_notation import split_runs
from netgen.ops.channel_pad import ChannelPad
from netgen.ops.channel_slice import ChannelSlice
from netgen.ops.concat import Concat
from netgen.ops.mirror_pad import MirrorPad
from netgen.ops.pad import Pad
from netgen.ops.spatial_slice import SpatialSlice

# A channel of a list takes as long as so many elements of an array; and for each run once more.
_LISTED = 16
_FOR_EACH_RUN = 0.25


def concat(call: Call) -> TensorView:
    """Concat of channels -> concat."""
    tensors = [call.tensor(index) for index in range(len(call.inputs))]
    shape = tensors[0].shape
    axis = _channels(call.integer("axis"), len(shape))
    if any(len(tensor.shape) != len(shape) for tensor in tensors):
        raise GraphError("tensors of different ranks are joined")
    values = [call.builder.natural(tensor) for tensor in tensors]
    result = list(shape)
    result[axis] = sum(tensor.shape[axis] for tensor in tensors)
    return call.builder.view(call.builder.emit(Concat(), values, call.name), result)


def gather(call: Call) -> TensorView:
    """Gather of channels by a list -> channel_map."""
    x = call.tensor()
    axis = _channels(call.integer("axis", 0), len(x.shape))
    indices = call.known(1, "indices")
    if indices is not None and indices.dtype.kind not in "iu":
        raise GraphError("indices must be integers", found=str(indices.dtype))
    if indices is None or indices.ndim != 1 or not indices.size:
        found = "nothing" if indices is None else f"the shape {list(indices.shape)}"
        raise GraphError("indices must be a list of channels", found=found)
    extent = x.shape[axis]
    call.budget.take(_LISTED * indices.size)
    if indices.min() < -extent or indices.max() >= extent:
        raise GraphError("there is no such channel", expected=f"one of {extent}")
    channels = [int(index) % extent for index in indices]
    # The notation of a map compares each run with all channels behind it.
    call.budget.take(int(_FOR_EACH_RUN * len(split_runs(channels)) * len(channels)))
    op = channel_map_op([(0, channel) for channel in channels])
    value = call.builder.emit(op, [call.builder.natural(x)], call.name)
    return call.builder.view(value, (*x.shape[:axis], indices.size, *x.shape[axis + 1 :]))


def split(call: Call) -> Sequence[TensorView]:
    """Split of channels -> one channel_slice for every part that something reads."""
    x = call.tensor()
    axis = _channels(call.integer("axis", 0), len(x.shape))
    lengths = _parts(call, x.shape[axis])
    starts = accumulate((0, *lengths[:-1]))
    value = call.builder.natural(x)
    parts = []
    for name, start, length in zip(call.results, starts, lengths, strict=True):
        # A part that nothing reads is left out in the end.
        op = ChannelSlice(start, length)
        part = call.builder.emit(op, [value], name or f"{value}.unread")
        parts.append(call.builder.view(part, (*x.shape[:axis], length, *x.shape[axis + 1 :])))
    return parts


def _parts(call: Call, extent: int) -> tuple[int, ...]:
    """The lengths of a Split's parts: given, or equal ones.

    Source: ONNX operators, Split: since opset 18 the last of equal parts may be smaller; before it
    they are equal. Since then `num_outputs` or `split` must be there, and not both.
    """
    count, lengths = len(call.results), call.integers("split", 1)
    if call.opset >= 18 and call.integer("num_outputs", count) != count:
        raise GraphError("num_outputs is not the number of outputs", expected=str(count))
    if call.opset >= 18 and (lengths is None) != ("num_outputs" in call.attributes):
        raise GraphError("either split or num_outputs must be given, and not both")
    if lengths is None:
        each = -(-extent // count)
        lengths = (*(each,) * (count - 1), extent - each * (count - 1))
        if call.opset < 18 and extent % count:
            raise GraphError("the parts are not equal", expected=f"{extent} in {count}")
    if len(lengths) != count or sum(lengths) != extent or min(lengths) < 1:
        raise GraphError(
            "the parts do not add up", expected=f"{extent} in {count}", found=f"{list(lengths)}"
        )
    return lengths


def _channels(axis: int, rank: int) -> int:
    """The axis of the channels; raises GraphError if `axis` is another one."""
    channels = 1 if rank == 4 else rank - 1
    if axis_of(axis, rank) != channels:
        raise GraphError(
            "only channels can be joined, split or gathered",
            expected=f"axis {channels}",
            found=f"axis {axis} of {rank}",
        )
    return channels


def slices(call: Call) -> TensorView:
    """Slice -> channel_slice and spatial_slice; steps forward only."""
    x = call.tensor()
    cuts = cuts_of(call, x.shape)
    if any(cut.step < 0 or not cut for cut in cuts):
        raise GraphError("a slice that is empty or runs backwards")
    return _cut(call, x, cuts)


def cuts_of(call: Call, shape: Sequence[int]) -> list[range]:
    """The places of every axis that a Slice keeps."""
    cuts = slices_of(call, len(shape))
    places = [range(*cut.indices(extent)) for cut, extent in zip(cuts, shape, strict=True)]
    # The step behind a single place is nothing, and may be any number.
    return [range(each[0], each[0] + 1) if len(each) == 1 else each for each in places]


def _cut(call: Call, x: TensorView, cuts: Sequence[range]) -> TensorView:
    channels = 1 if len(cuts) == 4 else len(cuts) - 1
    whole = [len(cut) == extent for cut, extent in zip(cuts, x.shape, strict=True)]
    able = {1, 2, 3} if len(cuts) == 4 else {channels}
    if not all(whole[axis] for axis in range(len(cuts)) if axis not in able):
        raise GraphError("only channels and pixels can be sliced", found=f"{list(x.shape)}")
    ops: list[Operator] = []
    if len(cuts) == 4 and not (whole[2] and whole[3]):
        rows, columns = cuts[2:]
        size, stride = (len(rows), len(columns)), (rows.step, columns.step)
        ops.append(SpatialSlice((rows.start, columns.start), size, stride))
    if not whole[channels]:
        cut = cuts[channels]
        ops.append(ChannelSlice(cut.start, len(cut), cut.step))
    return _in_turn(call, x, ops, [len(cut) for cut in cuts])


def _in_turn(
    call: Call, x: TensorView, ops: Sequence[Operator], shape: Sequence[int]
) -> TensorView:
    """Apply operators one after the other; the last one has the name of the result."""
    value = call.builder.natural(x)
    for op in ops:
        name = call.name if op is ops[-1] else f"{call.name}.{op.operator_name}"
        value = call.builder.emit(op, [value], name)
    return call.builder.view(value, shape)


def pad(call: Call) -> TensorView:
    """Pad with a value -> pad for pixels; with zeros also channel_pad for channels.

    ONNX lists the beginnings of all axes, then the ends.
    """
    x = call.tensor()
    rank = len(x.shape)
    mode = call.string("mode", "constant")
    value = one_number(call.known(2, "constant_value"), 0.0, "constant_value")
    sides = sides_of(call, rank)
    channels = 1 if rank == 4 else rank - 1
    if mode == "reflect" and rank == 4 and not any((*sides[0], *sides[1])):
        mirrored: list[Operator] = [MirrorPad((*sides[2], *sides[3]))]
        return _in_turn(
            call, x, mirrored, [a + n + b for n, (a, b) in zip(x.shape, sides, strict=True)]
        )
    if mode != "constant" or (value != 0.0 and any(sides[channels])):
        raise GraphError(
            "only padding with constants is supported, of channels with zeros",
            expected="mode constant, value 0",
            found=f"mode {mode}, value {value:g}",
        )
    ops: list[Operator] = []
    if rank == 4 and any((*sides[2], *sides[3])):
        ops.append(Pad((*sides[2], *sides[3]), value))
    if any(sides[channels]):
        ops.append(ChannelPad(*sides[channels]))
    if any(any(side) for axis, side in enumerate(sides[:channels])):
        raise GraphError("only pixels and channels can be padded", found=f"{sides}")
    return _in_turn(call, x, ops, [a + n + b for n, (a, b) in zip(x.shape, sides, strict=True)])


def sides_of(call: Call, rank: int) -> list[tuple[int, int]]:
    """The padding before and behind every axis; raises GraphError where a Pad takes away."""
    pads = call.integers("pads", 1) or ()
    given = call.axes(rank, 3)
    axes = tuple(range(rank)) if given is None else given
    if len(pads) != 2 * len(axes) or min(pads, default=0) < 0:
        raise GraphError(
            "a padding that cannot be",
            expected="two numbers of at least 0 for every axis",
            found=f"{list(pads)}",
        )
    sides = [(0, 0)] * rank
    for axis, before, after in zip(axes, pads, pads[len(axes) :], strict=False):
        sides[axis] = (before, after)
    return sides
