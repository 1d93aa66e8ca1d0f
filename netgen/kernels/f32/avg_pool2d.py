"""Mean of windows, neighbouring outputs along a row unrolled: each input is loaded once for all.

y[i][j][c] = (sum over r, s of x[i*u+r-p][j*v+s-q][c]) / n[i][j], r and s ascending, taps outside
the image skipped. Which of a window's columns count in n is known here, and its rows where all have
as many.
"""

from __future__ import annotations

from typing import ClassVar, cast

from netgen.ir.operator import Operator
from netgen.kernels.f32.pooling import (
    PoolKernel,
    fits_tiles,
    pool_window,
    tile_parameters,
    unrolled_cost,
)
from netgen.kernels.layer import Json, Layer
from netgen.kernels.targets import Target
from netgen.ops.avg_pool2d import AvgPool2d


class AvgPool2dF32(PoolKernel):
    """Any stride and padding, counted or not, and taps few enough to unroll."""

    name: ClassVar[str] = "avg_pool2d_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (AvgPool2d,)
    numeric_form: ClassVar[str] = "direct"
    unrolled: ClassVar[bool] = True

    def accepts(self, layer: Layer) -> bool:
        """Taps few enough to unroll."""
        return isinstance(layer.op, AvgPool2d) and fits_tiles(layer, layer.op.window())

    def runs_on(self, target: Target) -> bool:
        """Whether there are vector types: without, each tap would be a loop, which takes flash."""
        return target.f32.vector_types

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, vectors of channels, tiles, and how many taps count.

        A tile's `divisor` is all of them or, with `count_rows`, those of one row: then the C counts
        the rows, from `count_top` up to `count_bottom`.
        """
        op = layer.op
        assert isinstance(op, AvgPool2d)
        window = op.window()
        height, out_height = layer.operands["x"].shape[1], layer.result.shape[1]
        rows = {_counted(op, 0, i, height) for i in range(out_height)}
        alike = len(rows) == 1
        factor = min(rows) if alike else 1
        found = tile_parameters(layer, window, target)
        for tile in cast("list[dict[str, int]]", found["tiles"]):
            j = tile["column"] if "column" in tile else tile["first"]
            tile["divisor"] = factor * _counted(op, 1, j, layer.operands["x"].shape[2])
        return {
            **found,
            "count_rows": not alike,
            "count_top": -op.counted[0],
            "count_bottom": height + op.counted[1],
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """One operation, and less than one load, for each vector and tap."""
        return unrolled_cost(layer, pool_window(layer), target)


def _counted(op: AvgPool2d, axis: int, output: int, extent: int) -> int:
    """The number of a window's rows or columns that lie in the image or the counted padding."""
    start = output * op.stride[axis] - op.pad[2 * axis]
    end = min(start + op.kernel[axis], extent + op.counted[2 * axis + 1])
    return end - max(start, -op.counted[2 * axis])
