"""Real numbers of codes: y = scale * (x - zero), rounded once."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import hexadecimal
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import ElementKernel
from netgen.kernels.stretches import describe_elements
from netgen.kernels.targets import Target
from netgen.ops.dequantize import Dequantize


class DequantizeKernel(ElementKernel):
    """Any shape."""

    name: ClassVar[str] = "dequantize"
    operators: ClassVar[tuple[type[Operator], ...]] = (Dequantize,)
    numeric_form: ClassVar[str] = "elementwise"
    elements: ClassVar[ElementsByLetter] = {
        "x": frozenset({"i8", "u8", "i16"}),
        "y": frozenset({"f32"}),
    }
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every dequantize."""
        return isinstance(layer.op, Dequantize)

    def title(self, layer: Layer) -> str:
        """Element type and number of elements."""
        return f"dequantize_{layer.operands['x'].dtype}_{layer.result.elements}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements, or pixels and stretches of channels; the scale, the zero point."""
        del target
        quantisation = layer.operands["x"].quantisation
        assert quantisation is not None
        assert isinstance(quantisation.scale, float)
        return {
            **describe_elements(layer, ("x", "y")),
            "scale": hexadecimal(quantisation.scale),
            "zero": quantisation.zero,
        }
