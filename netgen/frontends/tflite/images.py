"""Layers of images of a batch of several: it is cut into images, and the results are joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from netgen.frontends.onnx_images import check_pieces, made_again
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call
from netgen.frontends.tflite.picked import as_channels, cut
from netgen.ir.operator import Const
from netgen.ops.concat import Concat

Mapping = Callable[[Call], TensorView]


def of_images(mapping: Mapping) -> Mapping:
    """Make a mapping of one image one of batches, but of those of parts of an image."""

    def mapped(call: Call) -> TensorView:
        x = call.given(0)
        if not isinstance(x, TensorView) or len(x.shape) != 4 or x.shape[0] == 1:
            return mapping(call)
        return mapping(call) if call.builder.dealt_to(x) is not None else _each(mapping, call, x)

    return mapped


def _each(mapping: Mapping, call: Call, x: TensorView) -> TensorView:
    """One image after the other: what is made of the first is made of the others, too."""
    builder, (count, *pixel) = call.builder, x.shape

    def image(number: int) -> TensorView:
        cuts = [range(number, number + 1), *map(range, pixel)]
        part = cut(call, x, cuts, f"{call.name}.in{number}")
        return row_major(builder.as_in_file(part), (1, *pixel))

    check_pieces(call.budget, count)
    one, known = image(0), len(builder.nodes)
    result = replace(call.made[0], name=f"{call.name}.out0")
    first = mapping(replace(call, inputs=(one, *call.inputs[1:]), made=(result,)))
    made = list(builder.nodes.values())[known:]
    check_pieces(call.budget, count * sum(not isinstance(node.op, Const) for node in made))
    values = [first.value]
    for number in range(1, count):
        others, name = {one.value: image(number).value}, f"{call.name}.out{number}"
        values.append(made_again(builder, made, first.value, others, name))
    flat = [as_channels(call, replace(first, value=value), 0) for value in values]
    return row_major(builder.emit(Concat(), flat, call.name), (count, *first.shape[1:]))
