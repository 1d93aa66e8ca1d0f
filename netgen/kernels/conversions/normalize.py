"""Floats of an image's bytes: y[p][c] = x[p][c] scale[c] + shift[c]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer, Packed
from netgen.kernels.loops import ElementKernel
from netgen.kernels.stretches import describe_pitches, describe_stretches, is_flat, order_of
from netgen.kernels.targets import Target
from netgen.ops.normalize import Normalize

# Pixels whose constants are packed side by side: enough for whole vectors of any width.
_MOST_TOGETHER = 16


class NormalizeKernel(ElementKernel):
    """Any shape. Neighbouring pixels are taken as one of all their channels, for vectors."""

    name: ClassVar[str] = "normalize"
    operators: ClassVar[tuple[type[Operator], ...]] = (Normalize,)
    numeric_form: ClassVar[str] = "scale-shift"
    constants: ClassVar[tuple[str, ...]] = ("scale", "shift")
    elements: ClassVar[ElementsByLetter] = {"x": frozenset({"u8"}), "": frozenset({"f32"})}
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every normalize."""
        return isinstance(layer.op, Normalize)

    def title(self, layer: Layer) -> str:
        """Pixels and channels."""
        channels = layer.result.shape[-1]
        return f"normalize_{layer.result.elements // channels}x{channels}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Groups of pixels, and stretches of their channels."""
        del target
        channels = layer.result.shape[-1]
        pixels = layer.result.elements // channels
        together = _together(layer)
        if together > 1:
            return {
                "pixels": pixels // together,
                "channels": channels * together,
                "pitch": {"x": "channels", "y": "channels"},
                "pitches": {},
                "stretches": [{"first": 0, "end": "channels", "x": "c", "y": "c"}],
            }
        return {
            "pixels": pixels,
            "channels": channels,
            **describe_pitches(layer, ("x", "y")),
            "stretches": describe_stretches(layer, ("x", "y")),
        }

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """All scales, then all shifts, in the order in which channels are visited."""
        del target
        order, together = order_of(layer), _together(layer)
        numbers = [np.tile(constants[letter][order], together) for letter in self.constants]
        return np.concatenate(numbers).astype(np.float32)

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """A scale and a shift for each channel of neighbouring pixels."""
        del target
        return 2 * layer.operands["scale"].bytes * _together(layer)


def _together(layer: Layer) -> int:
    """Neighbouring pixels of a row that the inner loop takes at once, if all channels are dense."""
    width = layer.result.shape[-2] if len(layer.result.shape) > 1 else 1
    if not is_flat(layer, ("x", "y")):
        return 1
    return max(n for n in range(1, min(width, _MOST_TOGETHER) + 1) if width % n == 0)
