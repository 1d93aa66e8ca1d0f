"""Mean over all pixels: y[c] = round((sum of (x[i][j][c] - x's zero)) * scale) + zero, saturating.

Sums are integers, so their order does not matter. Those of a band wait in scratch for the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import ELEMENTS, hexadecimal
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Kernel, Layer
from netgen.kernels.loops import channel_loops
from netgen.kernels.split import Loop, Split
from netgen.kernels.split_loops import split_vectors
from netgen.kernels.stretches import (
    VectorRun,
    describe_pitches,
    describe_vector_runs,
    find_stretches,
)
from netgen.kernels.targets import Target
from netgen.kernels.tiling import Tiling
from netgen.ops.global_avg_pool import GlobalAvgPool

_CODES = frozenset({"i8", "u8"})


class GlobalAvgPoolI8(Kernel):
    """Any shape, channel by channel."""

    name: ClassVar[str] = "global_avg_pool_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (GlobalAvgPool,)
    numeric_form: ClassVar[str] = "mean-of-codes"
    elements: ClassVar[ElementsByLetter] = {"x": _CODES, "y": _CODES}
    scratch_element: ClassVar[str] = "i32"
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "sums"

    def accepts(self, layer: Layer) -> bool:
        """Every global average."""
        return isinstance(layer.op, GlobalAvgPool)

    def title(self, layer: Layer) -> str:
        """Element type, pixels and channels."""
        x = layer.operands["x"]
        assert isinstance(layer.op, GlobalAvgPool)
        even = "even_" if layer.op.rounding == "even" else ""
        return f"global_avg_pool_{even}{x.dtype}_{'x'.join(map(str, x.shape[1:]))}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Rows, columns, channels one by one; zero points, the multiplier of sums, bounds of codes.

        Sums start at `start`: less the zero point of x for each pixel.
        """
        op, x, y = layer.op, layer.operands["x"], layer.result
        assert isinstance(op, GlobalAvgPool)
        _, height, width, channels = x.shape
        rescaling: dict[str, Json] = {"even": f"{hexadecimal(op.factor(x, y))}f"}
        if op.rounding == "fixed":
            multiplier = op.multiplier(x, y)
            rescaling = {
                "even": "",
                "factor": 1 << multiplier.left,
                "multiplier": multiplier.mantissa,
                "right": multiplier.right,
            }
        return {
            "height": height,
            "width": width,
            "channels": channels,
            "band_rows": layer.band.rows if layer.band else 0,
            "scratch": self.scratch(layer, target),
            **describe_pitches(layer, ("x",)),
            "runs": describe_vector_runs(_runs(layer), Tiling()),
            "start": -x.zero * height * width,
            **rescaling,
            "zero": y.zero,
            "low": y.element.low,
            "high": y.element.high,
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """One addition per element, and a division per channel."""
        del target
        return 2.0 * layer.operands["x"].elements + 20.0 * layer.result.elements

    def scratch(self, layer: Layer, target: Target) -> int:
        """A sum for each channel, where a call adds up only some of the rows."""
        del target
        sums = ELEMENTS[self.scratch_element].bytes * layer.result.elements
        return sums if layer.band else 0

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """Channels, each of which has a sum of its own."""
        del target, overwritten
        return replace(split_vectors(layer, _runs(layer), threads), by="channels")

    def loops(self, parameters: Mapping[str, Json], by: str) -> tuple[Loop, ...]:
        """Channels."""
        return channel_loops(parameters["runs"]) if by == "channels" else ()


def _runs(layer: Layer) -> Sequence[VectorRun]:
    """Stretches of channels, visited one by one."""
    return [
        VectorRun(each.first, each.end, 1, each.first, each.lines)
        for each in find_stretches(layer, ("x", "y"))
    ]
