"""A copy, which the plan asks for where an output needs memory of its own: y = x."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import ANY_ELEMENT, Operator
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import ElementKernel
from netgen.kernels.stretches import describe_elements, in_place
from netgen.kernels.targets import Target
from netgen.ops.identity import Identity


class CopyKernel(ElementKernel):
    """Any shape."""

    name: ClassVar[str] = "copy"
    operators: ClassVar[tuple[type[Operator], ...]] = (Identity,)
    numeric_form: ClassVar[str] = "elementwise"
    elements: ClassVar[ElementsByLetter] = {"": ANY_ELEMENT}
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every identity."""
        return isinstance(layer.op, self.operators)

    def title(self, layer: Layer) -> str:
        """Number of elements."""
        return f"identity_{layer.result.elements}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements, or pixels and stretches of channels."""
        del target
        return describe_elements(layer, ("x", "y"))

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written."""
        return in_place(layer, "x")
