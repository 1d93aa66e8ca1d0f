"""Pixels of codes between four neighbours, rounded as TensorFlow Lite does.

Codes with a sign are summed in integers, those of uint8 in float32.
"""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import RowKernel
from netgen.kernels.resizing import (
    bilinear_op,
    bilinear_title,
    describe_lines,
    describe_resize,
)
from netgen.kernels.targets import Target
from netgen.ops.resize_bilinear import BITS, ResizeBilinear

_SIGNED = frozenset({"i8", "i16"})
_UNSIGNED = frozenset({"u8"})


class _ResizeCodes(RowKernel):
    """Base of both."""

    operators: ClassVar[tuple[type[Operator], ...]] = (ResizeBilinear,)
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Every resize_bilinear."""
        return isinstance(layer.op, ResizeBilinear)

    def title(self, layer: Layer) -> str:
        """Element type, shapes of x and of the result."""
        return bilinear_title(layer)


class ResizeBilinearI8(_ResizeCodes):
    """Codes with a sign: places have 10 bits behind the point, sums 20."""

    name: ClassVar[str] = "resize_bilinear_i8"
    numeric_form: ClassVar[str] = "four-neighbours-in-integers"
    elements: ClassVar[ElementsByLetter] = {"x": _SIGNED, "y": _SIGNED}

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Extents, stretches of channels; the distance of rows and columns, that of the first."""
        del target
        op, (_, height, width, _) = bilinear_op(layer), layer.operands["x"].shape
        described = describe_resize(layer)
        for name, extent, outputs in (("rows", height, op.size[0]), ("columns", width, op.size[1])):
            scale = op.scale_in_bits(extent, outputs)
            centred = op.coordinates == "half_pixel"
            described[f"scale_{name}"] = scale
            described[f"shift_{name}"] = scale // 2 - (1 << BITS - 1) if centred else 0
        # Sums of codes of 8 bits have 29 bits.
        described["sum_type"] = "int32_t" if layer.result.dtype == "i8" else "int64_t"
        return {**described, "one": 1 << BITS}


class ResizeBilinearU8(_ResizeCodes):
    """Codes without a sign, in float32 with one rounding for each product and sum."""

    name: ClassVar[str] = "resize_bilinear_u8_i8"
    numeric_form: ClassVar[str] = "four-neighbours-in-float32"
    elements: ClassVar[ElementsByLetter] = {"x": _UNSIGNED, "y": _UNSIGNED}

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Extents, stretches of channels; places and weights of rows and columns."""
        del target
        return {**describe_resize(layer), **describe_lines(layer)}
