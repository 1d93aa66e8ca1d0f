"""Clamps of codes that keep their scale: y = min(max(x, low), high)."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import ElementKernel
from netgen.kernels.stretches import describe_elements, in_place
from netgen.kernels.targets import Target
from netgen.ops.clamp import Clamp
from netgen.ops.rescaled import clamped_codes


class ClampI8(ElementKernel):
    """Any shape; a plain loop that every compiler vectorises."""

    name: ClassVar[str] = "clamp_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Clamp,)
    numeric_form: ClassVar[str] = "codes-one-by-one"
    elements: ClassVar[ElementsByLetter] = {"": frozenset({"i8", "u8"})}
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Clamps whose codes stand for the same numbers before and after."""
        return isinstance(layer.op, Clamp) and layer.operands["x"].alike(layer.result)

    def title(self, layer: Layer) -> str:
        """Activation, element type, number of elements."""
        return f"{layer.op.operator_name}_{layer.result.dtype}_{layer.result.elements}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements, or pixels and stretches of channels; the lowest and the highest code."""
        del target
        low, high = clamped_codes(layer.op.operator_name, layer.result)
        operator = layer.op.operator_name
        bounds: dict[str, Json] = {"operator": operator, "low": low, "high": high}
        return {**describe_elements(layer, ("x", "y")), **bounds}

    def cost(self, layer: Layer, target: Target) -> float:
        """Many codes at once."""
        del target
        return 0.5 * layer.result.elements

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written."""
        return in_place(layer, "x")
