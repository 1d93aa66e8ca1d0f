"""Shapes and cuts that operators ask for which only look at a tensor in another way.

The same for tensors that are known, which are folded, and for activations.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call, axis_of


def target_shape(call: Call, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Settle the shape that a Reshape asks for; raises GraphError where the elements do not fit."""
    wanted = call.integers("shape", 1)
    if wanted is None:
        raise GraphError("the shape is missing")
    keep = not call.flag("allowzero")
    try:
        extents = [shape[k] if keep and v == 0 else v for k, v in enumerate(wanted)]
    except IndexError:
        raise GraphError("a shape of 0 keeps an axis that is not there") from None
    return settled(extents, shape, wanted)


def settled(extents: Sequence[int], shape: Sequence[int], wanted: Sequence[int]) -> tuple[int, ...]:
    """The extents with a number for -1; raises GraphError where the elements do not fit.

    `wanted` is what the file says.
    """
    extents = list(extents)
    known = prod(extent for extent in extents if extent != -1)
    if extents.count(-1) == 1 and known > 0 and prod(shape) % known == 0:
        extents[extents.index(-1)] = prod(shape) // known
    if prod(extents) != prod(shape) or min(extents, default=1) < 1:
        raise GraphError(
            "a reshape to another number of elements",
            expected=f"{prod(shape)} as {list(shape)}",
            found=str(list(wanted)),
        )
    return tuple(extents)


def flattened(call: Call, shape: tuple[int, ...]) -> tuple[int, int]:
    """The two extents that a Flatten makes of a shape; raises GraphError for no axis."""
    axis = call.integer("axis", 1)
    at = axis if axis == len(shape) else axis_of(axis, len(shape))
    return prod(shape[:at]), prod(shape[at:])


def permutation(call: Call, rank: int) -> tuple[int, ...]:
    """The axes in the order that a Transpose asks for; raises GraphError for what is no order."""
    perm = call.integers("perm")
    if perm is None:
        return tuple(range(rank))[::-1]
    if sorted(perm) != list(range(rank)):
        raise GraphError("perm must name every axis once", found=f"{list(perm)}")
    return perm


def squeezed_axes(call: Call, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes that a Squeeze drops; raises GraphError for others than those of extent 1."""
    axes = call.axes(len(shape), 1)
    if axes is None:
        return tuple(axis for axis, extent in enumerate(shape) if extent == 1)
    if not axes:
        raise GraphError("the list of axes is empty", hint="name the axes, or leave it out")
    if any(shape[axis] != 1 for axis in axes):
        raise GraphError("only axes of extent 1 can be squeezed", found=f"{list(shape)}")
    return axes


def unsqueezed_axes(call: Call, rank: int) -> tuple[int, ...]:
    """The new axes of an Unsqueeze, where they stand in the result."""
    count = call.integers("axes", 1)
    if count is None:
        raise GraphError("the axes are missing")
    return call.axes(rank + len(count), 1) or ()


def slices_of(call: Call, rank: int) -> list[slice]:
    """The cut of every axis that a Slice asks for; raises GraphError where it is malformed."""
    starts, ends = call.limits("starts", 1), call.limits("ends", 2)
    if starts is None or ends is None:
        raise GraphError("the starts or ends are missing")
    axes, steps = call.axes(rank, 3), call.limits("steps", 4)
    axes = tuple(range(len(starts))) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    if len({len(starts), len(ends), len(axes), len(steps)}) != 1 or 0 in steps or len(axes) > rank:
        raise GraphError("a malformed slice")
    cut = [slice(None)] * rank
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        cut[axis] = slice(start, end, step)
    return cut


def sides_of(call: Call, rank: int) -> list[tuple[int, int]]:
    """The padding before and behind every axis, below zero where a Pad takes away."""
    pads = call.integers("pads", 1) or ()
    given = call.axes(rank, 3)
    axes = tuple(range(rank)) if given is None else given
    if len(pads) != 2 * len(axes):
        raise GraphError(
            "a padding that cannot be",
            expected="two numbers for every axis",
            found=f"{list(pads)}",
        )
    sides = [(0, 0)] * rank
    for axis, before, after in zip(axes, pads, pads[len(axes) :], strict=False):
        sides[axis] = (before, after)
    return sides
