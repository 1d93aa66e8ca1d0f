"""Channels of pixels as blocks of pixels, and back: copies of the channels of one small pixel."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from netgen.ir.operator import ANY_ELEMENT, Operator
from netgen.kernels.geometry import describe_band
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.layout import Places
from netgen.kernels.loops import RowKernel
from netgen.kernels.moves.channel_copies import describe_copies
from netgen.kernels.stretches import describe_pitches
from netgen.kernels.targets import Target
from netgen.ops.depth_to_space import Blocks, DepthToSpace, SpaceToDepth


class _BlocksKernel(RowKernel):
    """Base of both: the copies of each pixel of a block are written out."""

    numeric_form: ClassVar[str] = "copy"
    elements: ClassVar[ElementsByLetter] = {"": ANY_ELEMENT}
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Every block."""
        return isinstance(layer.op, self.operators)

    def title(self, layer: Layer) -> str:
        """Operator, block, shape of x."""
        shape = "x".join(map(str, layer.operands["x"].shape[1:]))
        return f"{layer.op.operator_name}_{_block(layer)}_{shape}"

    def _described(self, layer: Layer, small: Places, large: Places) -> dict[str, Json]:
        """Extents and copies; `small` are the places of a pixel in a block, `large` all of these.

        Copies go from the large pixel if the result's are small.
        """
        block, (_, out_height, out_width, channels) = _block(layer), layer.result.shape
        parts = np.split(large, block * block)
        deals = isinstance(layer.op, DepthToSpace)
        copies = [
            describe_copies(small, part, "from") if deals else describe_copies(part, small, "from")
            for part in parts
        ]
        return {
            "width": layer.operands["x"].shape[2],
            "channels": channels,
            "out_height": out_height,
            "out_width": out_width,
            "block": block,
            **describe_pitches(layer, ("x", "y")),
            **describe_band(layer),
            "lines": [[*copies[first : first + block]] for first in range(0, block * block, block)],
        }


def _block(layer: Layer) -> int:
    assert isinstance(layer.op, Blocks)
    return layer.op.block


class DepthToSpaceKernel(_BlocksKernel):
    """Any block."""

    name: ClassVar[str] = "depth_to_space"
    operators: ClassVar[tuple[type[Operator], ...]] = (DepthToSpace,)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Extents, and the copies of each row of a block."""
        del target
        return self._described(layer, layer.layout("y").places(), layer.layout("x").places())


class SpaceToDepthKernel(_BlocksKernel):
    """Any block."""

    name: ClassVar[str] = "space_to_depth"
    operators: ClassVar[tuple[type[Operator], ...]] = (SpaceToDepth,)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Extents, and the copies of each row of a block."""
        del target
        return self._described(layer, layer.layout("x").places(), layer.layout("y").places())
