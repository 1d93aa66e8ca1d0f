"""Operators that only look at a tensor in another way: nothing is emitted for them here."""

from __future__ import annotations

from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call, Known
from netgen.frontends.onnx_elementwise import logical_not_of
from netgen.frontends.onnx_order import emit_aligned
from netgen.frontends.onnx_shapes import (
    flattened,
    permutation,
    squeezed_axes,
    target_shape,
    unsqueezed_axes,
)
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.ops.equal import Equal


def identity(call: Call) -> TensorView:
    """Identity, Cast to float32 of float32."""
    return call.tensor()


def cast(call: Call) -> TensorView:
    """Cast of activations, which are float32: other floats are the same, truth values a mask."""
    kind = call.integer("to")
    if kind == _BOOL:
        mask = emit_aligned(
            call, Equal(), [call.tensor(), np.zeros((), np.float32)], f"{call.name}.zero"
        )
        return logical_not_of(call, mask)
    if kind not in _FLOATS:
        raise GraphError("activations are cast", expected="floats throughout, or truth values")
    return call.tensor()


# TensorProto: FLOAT, FLOAT16, DOUBLE, BFLOAT16; BOOL.
_FLOATS = (1, 10, 11, 16)
_BOOL = 9


def dropout(call: Call) -> TensorView:
    """Dropout at inference; before opset 12 there is no other.

    Source: ONNX operators, Dropout: without `training_mode` the ratio is ignored.
    """
    call.only_output()
    training = call.known(2, "training_mode")
    if training is not None and training.any():
        raise GraphError("a dropout in training mode", hint="export the model in eval mode")
    return call.tensor()


def reshape(call: Call) -> TensorView:
    """Reshape."""
    x = call.tensor()
    return call.builder.reshaped(x, target_shape(call, x.shape))


def flatten(call: Call) -> TensorView:
    """Flatten to two axes."""
    x = call.tensor()
    return call.builder.reshaped(x, flattened(call, x.shape))


def squeeze(call: Call) -> TensorView:
    """Squeeze the axes given, or all of extent 1."""
    x = call.tensor()
    dropped = squeezed_axes(call, x.shape)
    kept = tuple(axis for k, axis in enumerate(x.axes) if k not in dropped)
    return TensorView(x.value, x.storage, kept)


def unsqueeze(call: Call) -> TensorView:
    """Unsqueeze: axes of extent 1, at these places of the result."""
    x = call.tensor()
    new = set(unsqueezed_axes(call, len(x.shape)))
    old = iter(x.axes)
    ranks = range(len(x.shape) + len(new))
    return TensorView(x.value, x.storage, tuple(() if k in new else next(old) for k in ranks))


def transpose(call: Call) -> TensorView:
    """Transpose; by default all axes reversed."""
    x = call.tensor()
    return x.transposed(permutation(call, len(x.shape)))


def shape(call: Call) -> Known:
    """Shape: known, whatever the tensor holds."""
    value = call.inputs[0]
    extents = value.shape if value is not None else ()
    start, end = call.integer("start", 0), call.integer("end", len(extents))
    return np.array(extents[start:end], np.int64)


def size(call: Call) -> Known:
    """Size: known, whatever the tensor holds."""
    value = call.inputs[0]
    return np.array(prod(value.shape) if value is not None else 0, np.int64)
