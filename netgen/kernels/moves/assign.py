"""The next value of a state, moved to where the state stands: y = x."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import ANY_ELEMENT, Operator
from netgen.kernels.layer import ElementsByLetter, Json, Kernel, Layer
from netgen.kernels.layout import Layout
from netgen.kernels.stretches import describe_elements
from netgen.kernels.targets import Target
from netgen.ops.assign import Assign


class AssignKernel(Kernel):
    """Any shape; one block by memmove, so that x and y may overlap."""

    name: ClassVar[str] = "assign"
    operators: ClassVar[tuple[type[Operator], ...]] = (Assign,)
    numeric_form: ClassVar[str] = "copy"
    elements: ClassVar[ElementsByLetter] = {"": ANY_ELEMENT}
    any_layout: ClassVar[bool] = True

    def accepts(self, layer: Layer) -> bool:
        """Every assignment."""
        return isinstance(layer.op, Assign)

    def title(self, layer: Layer) -> str:
        """Number of elements."""
        return f"assign_{layer.result.elements}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """The beginnings of the block in x and y; or pixels and stretches of channels."""
        del target
        pixels = layer.result.elements // layer.layout("y").channels
        starts = {letter: _block(layer.layout(letter), pixels) for letter in ("x", "y")}
        if None in starts.values():
            return {**describe_elements(layer, ("x", "y")), "block": None}
        return {"elements": layer.result.elements, "block": {**starts}}


def _block(layout: Layout, pixels: int) -> int | None:
    """The place from which on the elements of a value follow each other; None if they do not."""
    if len(layout.runs) > 1 or (pixels > 1 and layout.pitch > layout.channels):
        return None
    return layout.runs[0].first
