"""Operators that look at a tensor in another way, cut it or join several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import axis_of
from netgen.frontends.onnx_order import tensor_of
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.picked import as_channels, cut
from netgen.frontends.tflite.shapes import (
    permutation,
    slice_cuts,
    split_cuts,
    squeezed_axes,
    strided_cuts,
    target_shape,
)
from netgen.ops.concat import Concat
from netgen.ops.rescale import Rescale


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
    tensors = _tensors(call)
    if call.activation() is not None:
        raise GraphError("an activation fused into it, which TensorFlow Lite does not run, either")
    return _joined(call, tensors, axis_of(call.integer("Axis"), len(tensors[0].shape)))


def pack(call: Call) -> TensorView:
    """PACK -> concat along a new axis."""
    tensors = _tensors(call)
    axis = axis_of(call.integer("Axis"), len(tensors[0].shape) + 1)
    return _joined(call, [_with_axis(each, axis) for each in tensors], axis)


def unpack(call: Call) -> Sequence[TensorView]:
    """UNPACK: a cut for each place of an axis, which goes."""
    x = call.tensor()
    axis = axis_of(call.integer("Axis"), len(x.shape))
    if len(call.made) != x.shape[axis]:
        raise GraphError("another number of results than the axis is long")
    return [_without(part, [axis]) for part in _parts(call, x, axis, [1] * x.shape[axis])]


def _tensors(call: Call) -> list[TensorView]:
    """All inputs; constants of floats are written into memory first."""
    found = list[TensorView]()
    for index in range(len(call.inputs)):
        value = call.given(index)
        if isinstance(value, np.ndarray) and value.dtype == np.float32:
            found.append(tensor_of(call.builder, call.budget, value, f"{call.name}.{index}"))
        else:
            found.append(call.tensor(index))
    return found


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


def slices(call: Call) -> TensorView:
    """SLICE."""
    x = call.tensor()
    return cut(call, x, slice_cuts(call, x.shape), call.name)


def strided_slice(call: Call) -> TensorView:
    """STRIDED_SLICE."""
    x = call.tensor()
    cuts, shape = strided_cuts(call, x.shape)
    return call.builder.reshaped(cut(call, x, cuts, call.name), shape)


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
        cut(call, x, [*whole[:axis], places, *whole[axis + 1 :]], result.name)
        for result, places in zip(call.made, split_cuts(lengths, x.shape[axis]), strict=True)
    ]
