"""Elementwise operators of codes: what they read, and the scale that the result gets."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_tensor_view import TensorView, alike, row_major
from netgen.frontends.tflite.call import Call
from netgen.ops.broadcast import Broadcast, per_channel
from netgen.ops.rescaled import OwnCodes

Shape = tuple[int, ...]


def of_codes(call: Call) -> bool:
    """Whether a computed operand is one of codes."""
    views = [value for value in call.inputs if isinstance(value, TensorView)]
    return any(call.builder.kind(view).quantisation is not None for view in views)


def own_scale(call: Call) -> OwnCodes:
    """The attributes that say what codes of the result stand for; none of floats."""
    if not of_codes(call):
        return {}
    codes = call.one_scale()
    return {"scale": codes.scale, "zero": codes.zero}


def fused_act(call: Call) -> str:
    """The name of the activation that the options fuse into an operator of codes."""
    act = call.activation()
    return "none" if act is None else act.operator_name


def of_two_codes(op: Broadcast, call: Call) -> TensorView:
    """Two operands of one shape; one may have one number per channel, one may be a constant."""
    builder, given = call.builder, [call.given(0), call.given(1)]
    views = [value for value in given if isinstance(value, TensorView)]
    if len(views) == 2 and alike(*views):
        first, second = (view.value for view in views)
        if builder.shape(first) == builder.shape(second):
            return replace(views[0], value=builder.emit(op, [first, second], call.name))
    shapes = [() if value is None else value.shape for value in given]
    rank = max(map(len, shapes))
    shapes = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    wide = max(shapes, key=prod)
    operands = [_operand(call, at, shape, wide) for at, shape in enumerate(shapes)]
    narrow_first = shapes[0] != wide or not isinstance(given[0], TensorView)
    if op.commutes and narrow_first:
        operands.reverse()
    return row_major(builder.emit(op, operands, call.name), wide)


def _operand(call: Call, at: int, shape: Shape, wide: Shape) -> str:
    """A value, or a constant of codes: one number becomes one per channel."""
    value = call.given(at)
    if isinstance(value, TensorView):
        axes = ((),) * (len(shape) - len(value.shape)) + value.axes
        return call.builder.natural(replace(value, axes=axes))
    array, tensor = call.known(at, f"input {at}"), call.read[at]
    assert tensor is not None  # it is known
    kind = tensor.type()
    if kind.quantisation is None or not isinstance(kind.quantisation.scale, float):
        raise GraphError(
            "a constant operand has no one scale", expected="codes as of the other", found=str(kind)
        )
    channels = per_channel(wide)
    if array.size == 1:
        array = np.full(channels, array.reshape(-1)[0], array.dtype)
    elif shape not in {channels, wide}:
        raise GraphError(
            "a constant operand has the wrong shape",
            expected=f"[1], {list(channels)} or {list(wide)}",
            found=str(list(shape)),
        )
    shape = channels if array.size == prod(channels) else wide
    return call.builder.codes(tensor.name, array.reshape(shape), kind.quantisation)
