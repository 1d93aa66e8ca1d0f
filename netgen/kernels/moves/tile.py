"""The channels of each pixel several times over: reads a pixel as often as it is written."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import ANY_ELEMENT, Operator
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import ElementKernel
from netgen.kernels.targets import Target
from netgen.ops.tile import Tile


class TileKernel(ElementKernel):
    """Any number of pixels and channels."""

    name: ClassVar[str] = "tile"
    operators: ClassVar[tuple[type[Operator], ...]] = (Tile,)
    numeric_form: ClassVar[str] = "copy"
    elements: ClassVar[ElementsByLetter] = {"": ANY_ELEMENT}
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every tile."""
        return isinstance(layer.op, Tile)

    def title(self, layer: Layer) -> str:
        """Pixels, channels, and how often these stand there."""
        x = layer.operands["x"]
        pixels, channels = x.elements // x.shape[-1], x.shape[-1]
        return f"tile_{pixels}x{channels}_by_{layer.result.shape[-1] // channels}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Pixels, channels of x, times."""
        del target
        x = layer.operands["x"]
        channels = x.shape[-1]
        return {
            "pixels": x.elements // channels,
            "channels": channels,
            "times": layer.result.shape[-1] // channels,
        }
