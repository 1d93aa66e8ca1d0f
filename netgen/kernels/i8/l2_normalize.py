"""Normalised pixels of codes: y[c] = x[c] / sqrt(sum of x[c]^2), in each pixel."""

from __future__ import annotations

from typing import ClassVar, cast

from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import ElementKernel
from netgen.kernels.targets import Target
from netgen.ops.l2_normalize import L2Normalize


class L2NormalizeI8(ElementKernel):
    """Any number of pixels and channels."""

    name: ClassVar[str] = "l2_normalize_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (L2Normalize,)
    numeric_form: ClassVar[str] = "l2-normalize-of-codes"
    elements: ClassVar[ElementsByLetter] = {"": frozenset({"i8", "u8"})}
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every l2_normalize."""
        return isinstance(layer.op, L2Normalize)

    def title(self, layer: Layer) -> str:
        """Element type, pixels and channels."""
        elements, channels = layer.result.elements, layer.result.shape[-1]
        return f"l2_normalize_{layer.result.dtype}_{elements // channels}x{channels}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Pixels, channels, zero points, the shifts of codes and of multipliers, all codes."""
        del target
        op, x, y = cast("L2Normalize", layer.op), layer.operands["x"], layer.result
        channels = y.shape[-1]
        return {
            "pixels": y.elements // channels,
            "channels": channels,
            "x_zero": x.zero,
            "left_shift": op.shifted(x),
            "later_shift": op.shifted_later(x),
            "zero": y.zero,
            "low": y.element.low,
            "high": y.element.high,
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """A product and a rounded one for each element."""
        del target
        return 8.0 * layer.result.elements
