"""Layers of images for tensors that are none: over one axis, or of several images.

Audio is [1,C,T]: an image of one row. A batch of more than one is cut into images, and the results
are joined: each layer's C function then exists once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_budget import Budget
from netgen.frontends.onnx_builder import Builder
from netgen.frontends.onnx_call import Attribute, Call, Value
from netgen.frontends.onnx_cuts import cut
from netgen.frontends.onnx_joins import joined
from netgen.frontends.onnx_order import order_of
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.ir.graph import Node
from netgen.ir.operator import Const

Mapping: TypeAlias = "Callable[[Call], TensorView]"

# So many operators may be made of one: enough for 500 images of layers whose axes are moved.
_MOST_PIECES = 4096
# An operator takes as long as so many elements of an array.
_PIECE = 64

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
            if y.axes[2]:
                raise GraphError("a result of more axes than the tensor has", found=f"{y.shape}")
            return replace(y, axes=(*y.axes[:2], *y.axes[3:]))
        if len(x.shape) != 4 or x.shape[0] == 1:
            return mapping(call)
        return _each(mapping, call, x)

    return mapped


def _each(mapping: Mapping, call: Call, x: TensorView) -> TensorView:
    """One image after the other: what is made of the first is made of the others, too.

    Weights are made once.
    """
    count, order = x.shape[0], order_of(x)

    def image(number: int) -> TensorView:
        cuts = [range(number, number + 1), *(range(extent) for extent in x.shape[1:])]
        return cut(call, x, order, cuts, f"{call.name}.in{number}")

    check_pieces(call.budget, count)
    one = image(0)
    known = len(call.builder.nodes)
    results = (f"{call.name}.out0", *call.results[1:])
    first = mapping(replace(call, inputs=(one, *call.inputs[1:]), results=results))
    made = list(call.builder.nodes.values())[known:]
    check_pieces(call.budget, count * sum(not isinstance(node.op, Const) for node in made))
    images = [first]
    for number in range(1, count):
        others = {one.value: image(number).value}
        value = made_again(call.builder, made, first.value, others, f"{call.name}.out{number}")
        images.append(replace(first, value=value))
    return joined(call, images, 0, call.name)


def made_again(
    builder: Builder, made: Sequence[Node], result: str, others: dict[str, str], name: str
) -> str:
    """The value that takes the place of `result` where others take that of what it is made of."""
    for node in made:
        if any(operand in others for operand in node.operands):
            operands = [others.get(operand, operand) for operand in node.operands]
            part = name if node.name == result else f"{name}.{node.op.operator_name}"
            others[node.name] = builder.emit(node.op, operands, part)
    return others[result]


def check_pieces(budget: Budget, count: int) -> None:
    """Take operators from the budget; raises GraphError where they are more than one may become."""
    if count > _MOST_PIECES:
        raise GraphError(
            "a batch of more images than netgen writes out one by one",
            expected=f"at most {_MOST_PIECES} operators",
            found=str(count),
            hint="export the model for a smaller batch",
        )
    budget.take(count * _PIECE)


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
