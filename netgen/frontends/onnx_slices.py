"""Operators that cut tensors and take parts of them: Split, Slice, Gather."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call, Value, axis_of
from netgen.frontends.onnx_cuts import cut, runs_of
from netgen.frontends.onnx_joins import joined
from netgen.frontends.onnx_order import parts_order
from netgen.frontends.onnx_shapes import slices_of
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.ops.channel_map import channel_map_op
from netgen.ops.channel_notation import split_runs

# A channel of a list takes as long as so many elements of an array; and for each run once more.
_LISTED = 16
_FOR_EACH_RUN = 0.25


def gather(call: Call) -> TensorView:
    """Gather of places along one axis, by constants -> channel_map, or slices.

    Channels are mapped, where they lie last; other places are cut out and joined.
    """
    x = call.tensor()
    axis = axis_of(call.integer("axis", 0), len(x.shape))
    indices = call.known(1, "indices")
    if indices is None or indices.dtype.kind not in "iu" or not indices.size:
        found = "nothing" if indices is None else f"{indices.dtype}{list(indices.shape)}"
        raise GraphError("indices must be a list of places", found=found)
    extent = x.shape[axis]
    call.budget.take(_LISTED * indices.size)
    if indices.min() < -extent or indices.max() >= extent:
        raise GraphError(
            "there is no such place",
            expected=f"{-extent} to {extent - 1}",
            found=f"{indices.min()} to {indices.max()}",
        )
    places = [int(index) % extent for index in indices.reshape(-1)]
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    order = parts_order(call, x)
    taken = (*x.shape[:axis], len(places), *x.shape[axis + 1 :])
    if order.perm[-1] == axis:
        # The notation of a map compares each run with all channels behind it.
        call.budget.take(int(_FOR_EACH_RUN * len(split_runs(places)) * len(places)))
        op = channel_map_op([(0, place) for place in places])
        y = call.builder.emit(op, [order.store(call.builder, x)], call.name)
        return call.builder.reshaped(order.view(y, taken), shape)
    parts = [
        cut(call, x, order, [run if at == axis else range(n) for at, n in enumerate(x.shape)], name)
        for number, run in enumerate(runs_of(places))
        for name in [call.name if len(places) == 1 else f"{call.name}.{number}"]
    ]
    whole = parts[0] if len(parts) == 1 else joined(call, parts, axis, call.name)
    return call.builder.reshaped(whole, shape)


def split(call: Call) -> Sequence[Value]:
    """Split -> one slice for every part that something reads."""
    x = call.tensor()
    axis = axis_of(call.integer("axis", 0), len(x.shape))
    lengths = _parts(call, x.shape[axis])
    starts = accumulate((0, *lengths[:-1]))
    order = parts_order(call, x)
    parts: list[Value] = []
    for name, start, length in zip(call.results, starts, lengths, strict=True):
        if not length:
            parts.append(np.empty((*x.shape[:axis], 0, *x.shape[axis + 1 :]), np.float32))
            continue
        # A part that nothing reads is left out in the end.
        cuts = [range(extent) for extent in x.shape]
        cuts[axis] = range(start, start + length)
        parts.append(cut(call, x, order, cuts, name or f"{x.value}.unread"))
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
        if (call.opset < 18 and extent % count) or lengths[-1] < 1:
            raise GraphError("the parts are not equal", expected=f"{extent} in {count}")
    if len(lengths) != count or sum(lengths) != extent or min(lengths) < 0:
        raise GraphError(
            "the parts do not add up", expected=f"{extent} in {count}", found=f"{list(lengths)}"
        )
    return lengths


def slices(call: Call) -> TensorView:
    """Slice along any axes, also backwards."""
    x = call.tensor()
    cuts = cuts_of(call, x.shape)
    if not all(cuts):
        raise GraphError("nothing is left of a slice", found=f"{[len(each) for each in cuts]}")
    return cut(call, x, parts_order(call, x), cuts, call.name)


def cuts_of(call: Call, shape: Sequence[int]) -> list[range]:
    """The places of every axis that a Slice keeps."""
    cuts = slices_of(call, len(shape))
    places = [range(*cut.indices(extent)) for cut, extent in zip(cuts, shape, strict=True)]
    # The step behind a single place is nothing, and may be any number.
    return [range(each[0], each[0] + 1) if len(each) == 1 else each for each in places]
