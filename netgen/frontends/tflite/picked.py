"""Some places of a tensor, in any order: slices, and what is gathered or turned around."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import axis_of
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call
from netgen.ir.operator import Operator
from netgen.ops.channel_slice import ChannelSlice
from netgen.ops.concat import Concat
from netgen.ops.spatial_slice import SpatialSlice
from netgen.ops.strided_slice import StridedSlice

# More pieces than this would make a function of more lines than anybody reads.
_MOST_PIECES = 4096


def is_one_image(x: TensorView) -> bool:
    """Whether a tensor is [1,H,W,C]."""
    return len(x.shape) == 4 and x.shape[0] == 1


def as_channels(call: Call, x: TensorView, axis: int) -> str:
    """A value whose channels are all that lies from `axis` on."""
    if axis == len(x.shape) - 1 and len(x.shape) in {2, 4}:
        return call.builder.natural(x)
    ahead, channels = x.shape[:axis], prod(x.shape[axis:])
    shape = (1, channels) if prod(ahead) == 1 else (1, 1, prod(ahead), channels)
    return call.builder.natural(call.builder.reshaped(x, shape))


def in_turn(
    call: Call, x: TensorView, ops: Sequence[Operator], shape: Sequence[int], name: str
) -> TensorView:
    """Apply operators one after the other; the last one has the name of the result."""
    value = call.builder.natural(x)
    for op in ops:
        title = name if op is ops[-1] else f"{name}.{op.operator_name}"
        value = call.builder.emit(op, [value], title)
    return row_major(value, shape)


def cut(call: Call, x: TensorView, cuts: Sequence[range], name: str) -> TensorView:
    """Keep these places of each axis: pixels of an image at once, other axes in turn."""
    cuts = [range(each[0], each[0] + 1) if len(each) == 1 else each for each in cuts]
    part = [axis for axis, each in enumerate(cuts) if each != range(x.shape[axis])]
    pixels = [axis for axis in part if axis in {1, 2}] if is_one_image(x) else []
    if pixels and all(cuts[axis].step > 0 for axis in pixels):
        rows, columns = cuts[1:3]
        op = SpatialSlice(
            (rows.start, columns.start), (len(rows), len(columns)), (rows.step, columns.step)
        )
        part = [axis for axis in part if axis not in pixels]
        shape = (1, len(rows), len(columns), x.shape[3])
        x = in_turn(call, x, [op], shape, f"{name}.spatial_slice" if part else name)
    for axis in part:
        x = picked(call, x, axis, cuts[axis], name if axis == part[-1] else f"{name}.{axis}")
    return x


def picked(call: Call, x: TensorView, axis: int, places: Sequence[int], name: str) -> TensorView:
    """Keep places of an axis, in this order; what lies behind the axis is taken as channels."""
    inner, shape = prod(x.shape[axis + 1 :]), (*x.shape[:axis], len(places), *x.shape[axis + 1 :])
    step = places[1] - places[0] if len(places) > 1 else 1
    alike = step and all(b - a == step for a, b in pairwise(places))
    if alike and (step < 0 or (step > 1 and inner > 1)):
        first, steps = [0] * len(shape), [1] * len(shape)
        first[axis], steps[axis] = places[0], step
        op = StridedSlice(tuple(first), shape, tuple(steps))
        return row_major(call.builder.emit(op, [call.builder.natural(x)], name), shape)
    value = as_channels(call, x, axis)
    if alike:
        return row_major(
            call.builder.emit(
                ChannelSlice(places[0] * inner, len(places) * inner, step), [value], name
            ),
            shape,
        )
    pieces = [
        call.builder.emit(ChannelSlice(first * inner, count * inner), [value], f"{name}.{k}")
        for k, (first, count) in enumerate(_neighbours(places))
    ]
    return row_major(call.builder.emit(Concat(), pieces, name), shape)


def _neighbours(places: Sequence[int]) -> list[tuple[int, int]]:
    """Rows of places that follow each other: the first one, and how many there are."""
    found: list[tuple[int, int]] = []
    for place in places:
        if found and place == sum(found[-1]):
            found[-1] = found[-1][0], found[-1][1] + 1
        else:
            found.append((place, 1))
    if len(found) > _MOST_PIECES:
        raise GraphError(
            "more pieces of a tensor are put together than netgen writes out",
            expected=f"at most {_MOST_PIECES}",
            found=str(len(found)),
        )
    return found


def gather(call: Call) -> TensorView:
    """GATHER at known places -> slices and concat."""
    x, indices = call.tensor(), call.known(1, "the indices")
    axis = axis_of(call.integer("Axis"), len(x.shape))
    if indices.dtype.kind not in "iu" or not indices.size or call.integer("BatchDims"):
        raise GraphError("only plain indices are supported", found=str(indices.dtype))
    call.budget.take(indices.size)
    places = [int(place) for place in indices.reshape(-1)]
    if min(places) < 0 or max(places) >= x.shape[axis]:
        raise GraphError("an index outside the tensor", expected=f"0 to {x.shape[axis] - 1}")
    y = picked(call, x, axis, places, call.name)
    return call.builder.reshaped(y, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


def gather_nd(call: Call) -> TensorView:
    """GATHER_ND at known places -> slices and concat: of the first axes as one.

    Source: TensorFlow Lite, `reference/gather_nd.h`: places are numbers of the first axes.
    """
    x, indices = call.tensor(), call.known(1, "the indices")
    known = indices.shape[-1] if indices.ndim else 0
    if indices.dtype.kind not in "iu" or not indices.size or known > len(x.shape):
        raise GraphError(
            "indices that are no places of the tensor",
            expected=f"[..., 1 to {len(x.shape)}] of integers",
            found=f"{indices.dtype}{list(indices.shape)}",
        )
    call.budget.take(indices.size)
    ahead, behind = x.shape[:known], x.shape[known:]
    if (indices < 0).any() or (indices >= np.array(ahead)).any():
        raise GraphError("an index outside the tensor", expected=f"less than {list(ahead)}")
    steps = np.array([prod(ahead[axis + 1 :]) for axis in range(known)])
    places = (indices.reshape(-1, known) * steps).sum(axis=1)
    flat = call.builder.reshaped(x, (prod(ahead), *behind))
    y = picked(call, flat, 0, [int(place) for place in places], call.name)
    return call.builder.reshaped(y, (*indices.shape[:-1], *behind))


def reverse(call: Call) -> TensorView:
    """REVERSE_V2: the places of some axes from the last to the first."""
    x = call.tensor()
    axes = {axis_of(axis, len(x.shape)) for axis in call.integers(1, "the axes")}
    cuts = [range(n)[::-1] if axis in axes else range(n) for axis, n in enumerate(x.shape)]
    return cut(call, x, cuts, call.name)


def mirrored(call: Call, x: TensorView, sides: Sequence[tuple[int, int]], mode: str) -> TensorView:
    """A tensor in a frame of its own places, axis by axis; `mode` is one of numpy.pad."""
    for axis, (before, behind) in enumerate(sides):
        if before or behind:
            extent = x.shape[axis]
            if max(before, behind) > extent - (mode == "reflect"):
                raise GraphError("a frame that is wider than what is mirrored")
            call.budget.take(before + extent + behind)
            places = np.arange(extent)
            wide = np.pad(places, (before, behind), "reflect" if mode == "reflect" else "symmetric")
            x = picked(call, x, axis, [int(place) for place in wide], f"{call.name}.{axis}")
    return x
