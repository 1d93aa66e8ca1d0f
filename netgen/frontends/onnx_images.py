"""Layers of images for tensors that are none: over one axis, or of several images.

Audio is [1,C,T]: an image of one row. A batch of more than one is cut into images, and the results
are joined: each layer's C function then exists once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Attribute, Call, Value
from netgen.frontends.onnx_cuts import cut
from netgen.frontends.onnx_joins import joined
from netgen.frontends.onnx_order import order_of
from netgen.frontends.onnx_tensor_view import TensorView

Mapping: TypeAlias = "Callable[[Call], TensorView]"

# Attributes that say something of every axis of a window, and what they say of the axis of rows.
_OF_WINDOWS = {
    "kernel_shape": 1,
    "strides": 1,
    "dilations": 1,
    "output_padding": 0,
    "output_shape": 1,
}
# Operators with weights, which have the axes of windows too.
_WEIGHTED = {"Conv", "ConvTranspose"}


def of_images(mapping: Mapping) -> Mapping:
    """Make a mapping of one image one of batches, and of tensors with one axis of pixels."""

    def mapped(call: Call) -> TensorView:
        x = call.tensor()
        if len(x.shape) == 5:
            raise GraphError(
                f"{call.operator} over three axes is not supported",
                expected="[N,C,H,W] or [N,C,T]",
                found=f"{list(x.shape)}",
                hint="make the depth channels, or export frames one by one",
            )
        if len(x.shape) == 3:
            y = mapped(_with_rows(call, x))
            return replace(y, axes=(*y.axes[:2], *y.axes[3:]))
        if len(x.shape) != 4 or x.shape[0] == 1:
            return mapping(call)
        return _each(mapping, call, x)

    return mapped


def _each(mapping: Mapping, call: Call, x: TensorView) -> TensorView:
    """One image after the other."""
    order, images = order_of(x), []
    for number in range(x.shape[0]):
        cuts = [range(number, number + 1), *(range(extent) for extent in x.shape[1:])]
        image = cut(call, x, order, cuts, f"{call.name}.in{number}")
        inputs = (image, *call.inputs[1:])
        results = (f"{call.name}.out{number}", *call.results[1:])
        images.append(mapping(replace(call, inputs=inputs, results=results)))
    return joined(call, images, 0, call.name)


def _with_rows(call: Call, x: TensorView) -> Call:
    """The call for an image of one row."""
    attributes: dict[str, Attribute] = dict(call.attributes)
    for name, one in _OF_WINDOWS.items():
        given = call.integers(name)
        if given is not None:
            attributes[name] = (one, *given)
    pads = call.integers("pads")
    if pads is not None and len(pads) == 2:
        attributes["pads"] = (0, pads[0], 0, pads[1])
    inputs: list[Value | None] = [replace(x, axes=(*x.axes[:2], (), *x.axes[2:]))]
    for index, value in enumerate(call.inputs[1:], start=1):
        array = value
        if call.operator in _WEIGHTED and index == 1 and isinstance(value, np.ndarray):
            array = np.expand_dims(value, 2) if value.ndim == 3 else value
        if call.operator == "Resize" and isinstance(value, np.ndarray) and value.size == 3:
            array = np.insert(value, 2, 1).astype(value.dtype)
        inputs.append(array)
    return replace(call, inputs=tuple(inputs), attributes=attributes)
