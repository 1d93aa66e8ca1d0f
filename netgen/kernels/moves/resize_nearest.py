"""Rows and columns by copying them, each from its place: y[i][j] = x[place(i)][place(j)]."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from netgen.ir.operator import ANY_ELEMENT, Operator
from netgen.kernels.geometry import describe_band
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import RowKernel
from netgen.kernels.moves.channel_copies import describe_copies
from netgen.kernels.stretches import describe_pitches
from netgen.kernels.targets import Target
from netgen.ops.mirror_pad import MirrorPad
from netgen.ops.resize_nearest import ResizeNearest


class ResizeNearestKernel(RowKernel):
    """Any sizes; enlargements by whole numbers need no tables."""

    name: ClassVar[str] = "resize_nearest"
    operators: ClassVar[tuple[type[Operator], ...]] = (ResizeNearest,)
    numeric_form: ClassVar[str] = "copy"
    elements: ClassVar[ElementsByLetter] = {"": ANY_ELEMENT}
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    @property
    def template(self) -> str:
        """One for all that copy so."""
        return "moves/resize_nearest"

    def accepts(self, layer: Layer) -> bool:
        """Every one."""
        return isinstance(layer.op, self.operators)

    def title(self, layer: Layer) -> str:
        """Operator, shapes of x and of the result."""
        shape = "x".join(map(str, layer.operands["x"].shape[1:]))
        return f"{layer.op.operator_name}_{shape}_to_{'x'.join(map(str, layer.result.shape[1:3]))}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Extents, the places of rows and columns, how channels are copied."""
        del target
        assert isinstance(layer.op, ResizeNearest | MirrorPad)
        x = layer.operands["x"]
        _, out_height, out_width, channels = layer.result.shape
        rows, columns = (_places(layer.op.places(x, axis).tolist()) for axis in (0, 1))
        return {
            "width": x.shape[2],
            "channels": channels,
            "out_height": out_height,
            "out_width": out_width,
            **describe_pitches(layer, ("x", "y")),
            **describe_band(layer),
            "rows": rows,
            "columns": columns,
            "copies": describe_copies(
                layer.layout("y").places(), layer.layout("x").places(), "from"
            ),
        }


class MirrorPadKernel(ResizeNearestKernel):
    """Any frame; both axes have tables."""

    name: ClassVar[str] = "mirror_pad"
    operators: ClassVar[tuple[type[Operator], ...]] = (MirrorPad,)


def _places(places: list[int]) -> Json:
    """The number of times that each place stands there, if all do as often; else all of them."""
    times = places.count(0)
    if times and np.array_equal(np.arange(len(places)) // times, places):
        return times
    return [*places]
