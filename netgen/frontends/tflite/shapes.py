"""Shapes, orders and cuts that operators ask for: the same of constants and of activations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from netgen.errors import GraphError
from netgen.frontends.onnx_call import axis_of
from netgen.frontends.onnx_shapes import settled
from netgen.frontends.tflite.call import Call


def target_shape(call: Call, shape: Sequence[int]) -> tuple[int, ...]:
    """The shape that a RESHAPE asks for: its second input, or its options."""
    wanted = (
        call.integers(1, "the shape") if call.given(1) is not None else call.numbers("NewShape")
    )
    return settled(wanted, shape, wanted)


def squeezed_axes(call: Call, shape: Sequence[int]) -> tuple[int, ...]:
    """The axes that a SQUEEZE drops: all of extent 1, unless some are named."""
    axes = {axis_of(axis, len(shape)) for axis in call.numbers("SqueezeDims")}
    if not axes:
        return tuple(axis for axis, extent in enumerate(shape) if extent == 1)
    if any(shape[axis] != 1 for axis in axes):
        raise GraphError("only axes of extent 1 can be squeezed", found=f"{list(shape)}")
    return tuple(sorted(axes))


def permutation(call: Call, rank: int) -> tuple[int, ...]:
    """The axes in the order that a TRANSPOSE asks for."""
    order = tuple(axis_of(axis, rank) for axis in call.integers(1, "the order of axes"))
    if sorted(order) != list(range(rank)):
        raise GraphError("a transpose must name every axis once", found=str(list(order)))
    return order


def slice_cuts(call: Call, shape: Sequence[int]) -> list[range]:
    """The places of every axis that a SLICE keeps; a size of -1 is all that follow."""
    begins, sizes = call.integers(1, "begin"), call.integers(2, "size")
    if not len(begins) == len(sizes) == len(shape):
        raise GraphError("a slice must name every axis", expected=f"{len(shape)} numbers")
    cuts = []
    for extent, begin, size in zip(shape, begins, sizes, strict=True):
        end = extent if size == -1 else begin + size
        if not 0 <= begin < end <= extent:
            raise GraphError(
                "a slice that is empty or leaves the tensor",
                expected=f"a part of {extent}",
                found=f"{begin} to {end}",
            )
        cuts.append(range(begin, end))
    return cuts


def strided_cuts(call: Call, shape: Sequence[int]) -> tuple[list[range], tuple[int, ...]]:
    """The places of every axis that a STRIDED_SLICE keeps, and the axes that it then drops.

    Source: TensorFlow Lite, `strided_slice.cc` and `strided_slice_logic.h`: a bit of a mask is an
    axis; of an axis that is dropped one place is kept, whatever its end and stride are.
    """
    begins, ends, strides = (
        call.integers(index, what) for index, what in enumerate(("begin", "end", "strides"), 1)
    )
    if not len(begins) == len(ends) == len(strides) <= len(shape) or 0 in strides:
        raise GraphError("a malformed slice")
    if call.integer("EllipsisMask") or call.integer("NewAxisMask") or call.integer("Offset"):
        raise GraphError("a slice with an ellipsis, new axes or offsets is not supported")
    begin_mask, end_mask, dropped = (
        call.integer(name) for name in ("BeginMask", "EndMask", "ShrinkAxisMask")
    )
    cuts = [range(extent) for extent in shape]
    for axis, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        bit, extent = 1 << axis, shape[axis]
        if dropped & bit:
            at = axis_of(0 if begin_mask & bit else begin, extent)
            cuts[axis] = range(at, at + 1)
            continue
        first, last = None if begin_mask & bit else begin, None if end_mask & bit else end
        cuts[axis] = range(*slice(first, last, stride).indices(extent))
    if any(cut.step < 0 or not cut for cut in cuts):
        raise GraphError("a slice that is empty or runs backwards")
    return cuts, tuple(axis for axis in range(len(begins)) if dropped & 1 << axis)


def split_cuts(lengths: Sequence[int], extent: int) -> list[range]:
    """Ranges of so many places, one behind the other; raises GraphError where they do not fit."""
    if min(lengths, default=0) < 1 or sum(lengths) != extent:
        raise GraphError(
            "the parts do not add up", expected=f"{extent} in all", found=str(list(lengths))
        )
    ends = accumulate(lengths)
    return [range(end - length, end) for end, length in zip(ends, lengths, strict=True)]
