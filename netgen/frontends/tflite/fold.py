"""Arithmetic on shapes and other arrays that are known: evaluated in NumPy, nothing is emitted.

Whatever may make more elements than it reads takes them from the call's budget first.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Known, axis_of
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.elementwise import widened
from netgen.frontends.tflite.shapes import (
    permutation,
    slice_cuts,
    squeezed_axes,
    strided_cuts,
    target_shape,
)


def shape(call: Call) -> Known:
    """SHAPE: known, whatever the tensor holds; in the integers that the result has."""
    value = call.given(0)
    kind = np.int64 if call.made[0].element == "INT64" else np.int32
    return np.array(() if value is None else value.shape, kind)


def _all(call: Call) -> list[Known]:
    """All inputs, of one element type."""
    arrays = [call.known(index, f"input {index}") for index in range(len(call.inputs))]
    if len({array.dtype for array in arrays}) != 1:
        raise GraphError("operands of different element types, or none")
    return arrays


def elementwise(function: Callable[..., Known]) -> Callable[[Call], Known]:
    """Make a folding rule of a NumPy function of two arrays."""

    def fold(call: Call) -> Known:
        arrays = _all(call)
        if len(arrays) != 2 or call.activation() is not None:
            raise GraphError("only plain arithmetic is done between constants")
        call.budget.take(prod(np.broadcast_shapes(arrays[0].shape, arrays[1].shape)))
        return np.asarray(function(*arrays), arrays[0].dtype)

    return fold


def concatenation(call: Call) -> Known:
    """CONCATENATION."""
    arrays = _all(call)
    call.budget.take(sum(array.size for array in arrays))
    return np.concatenate(arrays, axis_of(call.integer("Axis"), arrays[0].ndim))


def pack(call: Call) -> Known:
    """PACK: numpy.stack."""
    arrays = _all(call)
    call.budget.take(sum(array.size for array in arrays))
    return np.stack(arrays, axis_of(call.integer("Axis"), arrays[0].ndim + 1))


def gather(call: Call) -> Known:
    """GATHER: numpy.take."""
    array, indices = call.known(0, "the operand"), call.known(1, "the indices")
    if indices.dtype.kind not in "iu" or call.integer("BatchDims"):
        raise GraphError("only plain indices are supported", found=str(indices.dtype))
    axis = axis_of(call.integer("Axis"), array.ndim)
    call.budget.take(prod((*array.shape[:axis], *indices.shape, *array.shape[axis + 1 :])))
    return np.take(array, indices, axis)


def reverse(call: Call) -> Known:
    """REVERSE_V2: numpy.flip."""
    array = call.known(0, "the operand")
    axes = tuple(axis_of(axis, array.ndim) for axis in call.integers(1, "the axes"))
    return np.asarray(np.flip(array, axes))


def tile(call: Call) -> Known:
    """TILE: numpy.tile."""
    array, times = call.known(0, "the operand"), call.integers(1, "the multiples")
    call.budget.take(array.size * prod(times))
    return np.tile(array, times)


def broadcast_to(call: Call) -> Known:
    """BROADCAST_TO: numpy.broadcast_to."""
    shape = call.integers(1, "the shape")
    call.budget.take(prod(shape))
    return np.broadcast_to(call.known(0, "the operand"), shape)


def fill(call: Call) -> Known:
    """FILL: one number, as often as a shape says."""
    shape, value = call.integers(0, "the shape"), call.known(1, "the value")
    if value.size != 1 or min(shape, default=1) < 0:
        raise GraphError("one value fills a shape", found=f"{list(value.shape)}, {list(shape)}")
    call.budget.take(prod(shape))
    return np.full(shape, value.reshape(-1)[0], value.dtype)


def reduce_prod(call: Call) -> Known:
    """REDUCE_PROD."""
    array = call.known(0, "the operand")
    axes = tuple({axis_of(axis, array.ndim) for axis in call.integers(1, "the axes")})
    keep = bool(call.integer("KeepDims"))
    return np.asarray(np.prod(array, axis=axes, dtype=array.dtype, keepdims=keep))


def slices(call: Call) -> Known:
    """SLICE."""
    array = call.known(0, "the operand")
    return array[tuple(slice(cut.start, cut.stop) for cut in slice_cuts(call, array.shape))]


def strided_slice(call: Call) -> Known:
    """STRIDED_SLICE."""
    array = call.known(0, "the operand")
    cuts, shape = strided_cuts(call, array.shape)
    found = array
    for axis, cut in enumerate(cuts):
        found = np.take(found, np.array(cut), axis)
    return found.reshape(shape)


def densify(call: Call) -> Known:
    """DENSIFY: reading a constant has written its zeros out."""
    return call.known(0, "the operand")


def reshape(call: Call) -> Known:
    """RESHAPE."""
    array = call.known(0, "the operand")
    call.budget.take(array.size)
    return array.reshape(target_shape(call, array.shape))


def squeeze(call: Call) -> Known:
    """SQUEEZE."""
    array = call.known(0, "the operand")
    return np.squeeze(array, squeezed_axes(call, array.shape))


def expand_dims(call: Call) -> Known:
    """EXPAND_DIMS."""
    array = call.known(0, "the operand")
    return np.expand_dims(array, call.axis(1, array.ndim + 1))


def transpose(call: Call) -> Known:
    """TRANSPOSE."""
    array = call.known(0, "the operand")
    return array.transpose(permutation(call, array.ndim))


_KINDS = {"INT32": np.int32, "INT64": np.int64, "FLOAT32": np.float32}


def cast(call: Call) -> Known:
    """CAST to integers or floats, of finite numbers."""
    array, element = call.known(0, "the operand"), call.made[0].element
    if element not in _KINDS or not np.isfinite(array).all():
        raise GraphError("a cast that is not supported", found=f"{array.dtype} to {element}")
    call.budget.take(array.size)
    return array.astype(_KINDS[element])


FOLDS: dict[str, Callable[[Call], Known]] = {
    "ADD": elementwise(np.add),
    "BROADCAST_TO": broadcast_to,
    "CAST": cast,
    "CONCATENATION": concatenation,
    "DENSIFY": densify,
    "DEQUANTIZE": widened,
    "EXPAND_DIMS": expand_dims,
    "FILL": fill,
    "GATHER": gather,
    "MUL": elementwise(np.multiply),
    "PACK": pack,
    "REDUCE_PROD": reduce_prod,
    "RESHAPE": reshape,
    "REVERSE_V2": reverse,
    "SLICE": slices,
    "SQUEEZE": squeeze,
    "STRIDED_SLICE": strided_slice,
    "SUB": elementwise(np.subtract),
    "TILE": tile,
    "TRANSPOSE": transpose,
}
