"""Operators that only look at a tensor in another way: nothing is emitted for them here."""

from __future__ import annotations

from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call, Known, axis_of
from netgen.frontends.onnx_fold import target_shape
from netgen.frontends.onnx_view import View


def identity(call: Call) -> View:
    """Identity, Cast to float32 of float32."""
    return call.tensor()


def cast(call: Call) -> View:
    """Cast of activations: they are float32, and must stay so."""
    if call.integer("to", 0) != 1:  # TensorProto.FLOAT
        raise GraphError("activations are cast", expected="float32 throughout")
    return call.tensor()


def dropout(call: Call) -> View:
    """Dropout at inference."""
    call.only_output()
    training = call.known(2, "training_mode")
    if training is not None and training.any():
        raise GraphError("a dropout in training mode", hint="export the model in eval mode")
    return call.tensor()


def reshape(call: Call) -> View:
    """Reshape."""
    x = call.tensor()
    return call.builder.reshaped(x, target_shape(call, x.shape))


def flatten(call: Call) -> View:
    """Flatten to two axes."""
    x = call.tensor()
    axis = call.integer("axis", 1)
    at = axis if axis == len(x.shape) else axis_of(axis, len(x.shape))
    return call.builder.reshaped(x, (prod(x.shape[:at]), prod(x.shape[at:])))


def squeeze(call: Call) -> View:
    """Squeeze the axes given, or all of extent 1."""
    x = call.tensor()
    rank = len(x.shape)
    axes = call.integers("axes", 1)
    dropped = {axis_of(axis, rank) for axis in axes} if axes else _ones(x.shape)
    if any(x.shape[axis] != 1 for axis in dropped):
        raise GraphError("only axes of extent 1 can be squeezed", found=f"{list(x.shape)}")
    kept = tuple(axis for k, axis in enumerate(x.axes) if k not in dropped)
    return View(x.value, x.storage, kept)


def _ones(shape: tuple[int, ...]) -> set[int]:
    return {axis for axis, extent in enumerate(shape) if extent == 1}


def unsqueeze(call: Call) -> View:
    """Unsqueeze: axes of extent 1, at these places of the result."""
    x = call.tensor()
    axes = call.integers("axes", 1) or ()
    rank = len(x.shape) + len(axes)
    new = {axis_of(axis, rank) for axis in axes}
    if len(new) != len(axes):
        raise GraphError("an axis stands twice", found=f"{list(axes)}")
    old = iter(x.axes)
    return View(x.value, x.storage, tuple(() if k in new else next(old) for k in range(rank)))


def transpose(call: Call) -> View:
    """Transpose; by default all axes reversed."""
    x = call.tensor()
    perm = call.integers("perm") or tuple(range(len(x.shape)))[::-1]
    if sorted(perm) != list(range(len(x.shape))):
        raise GraphError("perm must name every axis once", found=f"{list(perm)}")
    return x.transposed(perm)


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
