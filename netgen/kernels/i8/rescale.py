"""Codes of another scale: a table of 256 codes, which the operator's meaning fills."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator, Signature
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import ElementKernel
from netgen.kernels.stretches import describe_elements, in_place
from netgen.kernels.targets import Target
from netgen.ops.rescale import Rescale

_CODES = frozenset({"i8", "u8"})


class RescaleI8(ElementKernel):
    """Any shape and scales."""

    name: ClassVar[str] = "rescale_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Rescale,)
    numeric_form: ClassVar[str] = "table"
    elements: ClassVar[ElementsByLetter] = {"x": _CODES, "y": _CODES}
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every rescale."""
        return isinstance(layer.op, Rescale)

    def title(self, layer: Layer) -> str:
        """Element type and number of elements."""
        return f"rescale_{layer.result.dtype}_{layer.result.elements}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements, or pixels and stretches of channels; the table, and its first code."""
        del target
        x = layer.operands["x"]
        codes = np.arange(x.element.low, x.element.high + 1)
        signature = Signature((x.with_shape(codes.shape),), layer.result.with_shape(codes.shape))
        return {
            **describe_elements(layer, ("x", "y")),
            "lowest": x.element.low,
            "table": [int(code) for code in layer.op.reference([codes], signature)],
        }

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written."""
        return in_place(layer, "x")
