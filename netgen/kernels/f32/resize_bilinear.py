"""Pixels between four neighbours: sums of these, weighted by where the pixel lies."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, Json, Layer
from netgen.kernels.loops import RowKernel
from netgen.kernels.resizing import bilinear_title, describe_lines, describe_resize
from netgen.kernels.targets import Target
from netgen.ops.resize_bilinear import ResizeBilinear


class ResizeBilinearF32(RowKernel):
    """Any sizes and coordinates."""

    name: ClassVar[str] = "resize_bilinear_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (ResizeBilinear,)
    numeric_form: ClassVar[str] = "four-neighbours"
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Every resize_bilinear."""
        return isinstance(layer.op, ResizeBilinear)

    def title(self, layer: Layer) -> str:
        """Shapes of x and of the result."""
        return bilinear_title(layer)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Extents, stretches of channels; places and weights of rows and columns."""
        described = {**describe_resize(layer), **describe_lines(layer)}
        return {**described, "fused": target.processor.multiply_add}

    def cost(self, layer: Layer, target: Target) -> float:
        """Four products."""
        del target
        return 5.0 * layer.result.elements
