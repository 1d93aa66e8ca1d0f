"""Functions of codes of one byte, by a table of what becomes of each: y = table[x].

The operator's own meaning fills the table: 256 codes, which stand in the C function. They follow
from scales, not from weights.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator, Signature
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import ElementKernel
from netgen.kernels.stretches import describe_elements, in_place
from netgen.kernels.targets import Target
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.quantize import Quantize
from netgen.ops.rescale import Rescale
from netgen.ops.rsqrt import Rsqrt


class TableI8(ElementKernel):
    """Any shape."""

    name: ClassVar[str] = "table_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (
        ElementwiseActivation,
        Quantize,
        Rescale,
        Rsqrt,
    )
    numeric_form: ClassVar[str] = "codes-one-by-one"
    elements: ClassVar[ElementsByLetter] = {
        "x": frozenset({"i8", "u8"}),
        "y": frozenset({"i8", "u8", "i16"}),
    }
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every operator of one operand and no others."""
        return isinstance(layer.op, self.operators)

    def title(self, layer: Layer) -> str:
        """Operator, element types, number of elements."""
        kinds = dict.fromkeys((layer.operands["x"].dtype, layer.result.dtype))
        return "_".join([layer.op.operator_name, *kinds, str(layer.result.elements)])

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements, or pixels and stretches of channels; the lowest code, and what each becomes."""
        del target
        x = layer.operands["x"]
        codes = np.arange(x.element.low, x.element.high + 1)
        signature = Signature((x.with_shape(codes.shape),), layer.result.with_shape(codes.shape))
        return {
            **describe_elements(layer, ("x", "y")),
            "operator": layer.op.operator_name,
            "lowest": x.element.low,
            "table": [int(code) for code in layer.op.reference([codes], signature)],
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """A code is read, and one of the table."""
        del target
        return 2.0 * layer.result.elements

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written."""
        return in_place(layer, "x")
