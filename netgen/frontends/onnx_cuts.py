"""Parts of tensors, cut out along any axes."""

from __future__ import annotations

from collections.abc import Sequence

from netgen.frontends.onnx_call import Call
from netgen.frontends.onnx_order import AxisOrder
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.ir.operator import Operator
from netgen.ir.rows import is_image
from netgen.ops.channel_slice import ChannelSlice
from netgen.ops.spatial_slice import SpatialSlice
from netgen.ops.strided_slice import StridedSlice


def runs_of(places: Sequence[int]) -> list[range]:
    """Places as runs of equal distances, as few as they are found one after the other."""
    runs: list[range] = []
    at = 0
    while at < len(places):
        end, step = at + 1, 1
        if end < len(places) and places[end] != places[at]:
            step = places[end] - places[at]
            while end < len(places) and places[end] - places[end - 1] == step:
                end += 1
        if end - at == 1:
            step = 1
        runs.append(range(places[at], places[end - 1] + (1 if step > 0 else -1), step))
        at = end
    return runs


def cut(
    call: Call, x: TensorView, order: AxisOrder, cuts: Sequence[range], name: str
) -> TensorView:
    """The parts of a tensor at these places of each axis: slices of channels and pixels, or of any.

    Slices of channels and pixels need not move anything.
    """
    value = order.store(call.builder, x)
    shape = order.shape(x.shape)
    places = [cuts[axis] for axis in order.perm]
    ops: list[Operator] = []
    changed = [axis for axis, each in enumerate(places) if each != range(shape[axis])]
    if not changed:
        return x
    *others, last = places
    forward = all(each.step > 0 for each in places)
    if forward and is_image(shape) and {*changed} & {1, 2}:
        rows, columns = others[1], others[2]
        ops.append(
            SpatialSlice(
                (rows.start, columns.start),
                (len(rows), len(columns)),
                (rows.step, columns.step),
            )
        )
    if forward and len(shape) - 1 in changed:
        ops.append(ChannelSlice(last.start, len(last), last.step))
    if not forward or (not is_image(shape) and {*changed} - {len(shape) - 1}):
        starts, sizes, steps = zip(*((r.start, len(r), r.step) for r in places), strict=True)
        ops = [StridedSlice(starts, sizes, steps)]
    for op in ops:
        value = call.builder.emit(
            op, [value], name if op is ops[-1] else f"{name}.{op.operator_name}"
        )
    return order.view(value, [len(each) for each in cuts])
