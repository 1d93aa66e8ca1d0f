"""Codes of two bytes in another scale: y = round((x - x's zero) * scale) + zero, saturating.

Those of one byte take a table (`kernels/i8/table.py`).
"""

from __future__ import annotations

from typing import ClassVar

from netgen.kernels.conversions.quantize import QuantizeKernel
from netgen.kernels.layer import ElementsByLetter, Json, Layer
from netgen.kernels.stretches import describe_elements, in_place
from netgen.kernels.targets import Target
from netgen.ops.quantize import Quantize


class QuantizeCodesKernel(QuantizeKernel):
    """Any shape."""

    name: ClassVar[str] = "quantize_codes"
    numeric_form: ClassVar[str] = "codes-one-by-one"
    elements: ClassVar[ElementsByLetter] = {
        "x": frozenset({"i16"}),
        "y": frozenset({"i8", "u8", "i16"}),
    }

    def title(self, layer: Layer) -> str:
        """Element types and number of elements."""
        kinds = f"{layer.operands['x'].dtype}_{layer.result.dtype}"
        return f"quantize_{kinds}_{layer.result.elements}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements, or pixels and stretches of channels; zero points, multiplier, bounds."""
        del target
        x, y, op = layer.operands["x"], layer.result, layer.op
        assert isinstance(op, Quantize)
        multiplier = op.multiplier(x)
        return {
            **describe_elements(layer, ("x", "y")),
            "x_zero": x.zero,
            "x_multiplier": multiplier.mantissa,
            "x_shift": multiplier.shift,
            "zero": y.zero,
            "low": y.element.low,
            "high": y.element.high,
        }

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written."""
        return in_place(layer, "x")
