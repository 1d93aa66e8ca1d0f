"""Codes that keep their scale, clamped and shifted: y = min(max(x + shift, low), high)."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import ElementKernel
from netgen.kernels.stretches import describe_elements, in_place
from netgen.kernels.targets import Target
from netgen.ops.clamp import Clamp
from netgen.ops.quantize import Quantize
from netgen.ops.rescaled import clamped_codes, scale_of


class ClampI8(ElementKernel):
    """Any shape; a plain loop that every compiler vectorises."""

    name: ClassVar[str] = "clamp_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Clamp, Quantize)
    numeric_form: ClassVar[str] = "codes-one-by-one"
    elements: ClassVar[ElementsByLetter] = {"": frozenset({"i8", "u8"})}
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Clamps, and codes of another zero point or sign; the scale is the same."""
        x, y = layer.operands["x"], layer.result
        if isinstance(layer.op, Clamp) and layer.op.rounding != "fixed":
            return False  # bounds are rounded otherwise
        return isinstance(layer.op, self.operators) and scale_of(x) == scale_of(y)

    def title(self, layer: Layer) -> str:
        """Operator, element types, number of elements."""
        kinds = dict.fromkeys((layer.operands["x"].dtype, layer.result.dtype))
        return "_".join([layer.op.operator_name, *kinds, str(layer.result.elements)])

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements, or pixels and stretches of channels; the shift, lowest and highest code."""
        del target
        x, y, operator = layer.operands["x"], layer.result, layer.op.operator_name
        low, high = clamped_codes("none" if isinstance(layer.op, Quantize) else operator, y)
        return {
            **describe_elements(layer, ("x", "y")),
            "operator": operator,
            "shift": y.zero - x.zero,
            "low": low,
            "high": high,
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """Many codes at once."""
        del target
        return 0.5 * layer.result.elements

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written."""
        return in_place(layer, "x")
