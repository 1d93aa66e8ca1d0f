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
    """The places of every axis that a STRIDED_SLICE keeps, and the shape that it then has.

    Source: TensorFlow Lite, `strided_slice.cc` and `strided_slice_logic.h`: a bit of a mask is an
    entry; of an axis that is dropped one place is kept, whatever its end and stride are. Of several
    ellipses the first counts.
    """
    entries = list(
        zip(
            *(call.integers(k, what) for k, what in enumerate(("begin", "end", "strides"), 1)),
            strict=False,
        )
    )
    lengths = {len(call.integers(k, "the slice")) for k in (1, 2, 3)}
    if len(lengths) > 1 or any(stride == 0 for _, _, stride in entries):
        raise GraphError("a malformed slice")
    masks = {
        name: call.integer(f"{name}Mask")
        for name in ("Begin", "End", "Ellipsis", "NewAxis", "ShrinkAxis")
    }
    named = sum(not (masks["NewAxis"] | masks["Ellipsis"]) >> k & 1 for k in range(len(entries)))
    if named > len(shape):
        raise GraphError("a malformed slice")
    cuts, wanted = list[range](), list[int]()
    for k, (begin, end, stride) in enumerate(entries):
        bits = {name for name, mask in masks.items() if mask >> k & 1}
        if "Ellipsis" in bits:
            whole = shape[len(cuts) : len(cuts) + len(shape) - named]
            cuts += [range(extent) for extent in whole]
            wanted += whole
        elif "NewAxis" in bits:
            wanted.append(1)
        else:
            last = begin + end if call.integer("Offset") else end
            cuts.append(_strided(shape[len(cuts)], (begin, last, stride), bits))
            wanted += [] if "ShrinkAxis" in bits else [len(cuts[-1])]
    wanted += shape[len(cuts) :]
    cuts += [range(extent) for extent in shape[len(cuts) :]]
    if not all(cuts):
        raise GraphError("a slice that is empty")
    return cuts, tuple(wanted)


def _strided(extent: int, entry: tuple[int, int, int], bits: set[str]) -> range:
    """The places of one axis."""
    begin, end, stride = entry
    if "ShrinkAxis" in bits:
        at = axis_of(0 if "Begin" in bits else begin, extent)
        return range(at, at + 1)
    first, last = None if "Begin" in bits else begin, None if "End" in bits else end
    return range(*slice(first, last, stride).indices(extent))


def split_cuts(lengths: Sequence[int], extent: int) -> list[range]:
    """Ranges of so many places, one behind the other; raises GraphError where they do not fit."""
    if min(lengths, default=0) < 1 or sum(lengths) != extent:
        raise GraphError(
            "the parts do not add up", expected=f"{extent} in all", found=str(list(lengths))
        )
    ends = accumulate(lengths)
    return [range(end - length, end) for end, length in zip(ends, lengths, strict=True)]
