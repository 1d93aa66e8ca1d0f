"""A channel map that is no view: y[c] = one channel of one of x0, x1, ..., or zero; a copy."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from netgen.ir.operator import ANY_ELEMENT, Operator
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import ElementKernel
from netgen.kernels.moves.channel_copies import describe_copies, describe_zeros
from netgen.kernels.stretches import describe_pitches
from netgen.kernels.targets import Target
from netgen.ops.channel_map import ChannelMap


class ChannelMapKernel(ElementKernel):
    """Any map of any number of operands."""

    name: ClassVar[str] = "channel_map"
    operators: ClassVar[tuple[type[Operator], ...]] = (ChannelMap,)
    numeric_form: ClassVar[str] = "copy"
    elements: ClassVar[ElementsByLetter] = {"": ANY_ELEMENT}
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every channel map."""
        return isinstance(layer.op, ChannelMap)

    def title(self, layer: Layer) -> str:
        """Pixels and channels of the result."""
        channels = layer.layout("y").channels
        return f"channel_map_{layer.result.elements // channels}x{channels}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Pixels, and how the channels of each operand are copied, in the order of `y`."""
        del target
        assert isinstance(layer.op, ChannelMap)
        operands, channels = layer.op.sources()
        y, letters = layer.layout("y"), [*layer.operands]
        to = y.places()
        copies = describe_zeros(to[operands < 0]) if (operands < 0).any() else []
        for number in np.unique(operands[operands >= 0]).tolist():
            mine = operands == number
            sources = layer.layout(letters[number]).places()[channels[mine]]
            copies += describe_copies(to[mine], sources, letters[number])
        return {
            "border": layer.layout("y").border,
            "pixels": layer.result.elements // y.channels,
            "channels": y.channels,
            **describe_pitches(layer, (*letters, "y")),
            "letters": [*letters],
            # Only zeros: the operand says nothing but how many pixels there are.
            "unread": [*letters] if (operands < 0).all() else [],
            "copies": copies,
        }
