"""Codes of real numbers: y = round(x / scale) + zero, saturating.

Halves go away from zero, or to even.
"""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import hexadecimal
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import ElementKernel
from netgen.kernels.stretches import describe_elements
from netgen.kernels.targets import Target
from netgen.ops.quantize import Quantize


class QuantizeKernel(ElementKernel):
    """Any shape."""

    name: ClassVar[str] = "quantize"
    operators: ClassVar[tuple[type[Operator], ...]] = (Quantize,)
    numeric_form: ClassVar[str] = "elementwise"
    elements: ClassVar[ElementsByLetter] = {
        "x": frozenset({"f32"}),
        "y": frozenset({"i8", "u8", "i16"}),
    }
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every quantize."""
        return isinstance(layer.op, Quantize)

    def title(self, layer: Layer) -> str:
        """Element type and number of elements."""
        even = "even_" if _op(layer).rounding == "even" else ""
        return f"quantize_{even}{layer.result.dtype}_{layer.result.elements}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements, or pixels and stretches of channels; the scale, the zero point, the bounds.

        Bounds are of codes less their zero point.
        """
        del target
        op, element = _op(layer), layer.result.element
        return {
            **describe_elements(layer, ("x", "y")),
            "scale": hexadecimal(op.scale),
            "zero": op.zero,
            "low": element.low - op.zero,
            "high": element.high - op.zero,
            "even": op.rounding == "even",
        }


def _op(layer: Layer) -> Quantize:
    assert isinstance(layer.op, Quantize)
    return layer.op
