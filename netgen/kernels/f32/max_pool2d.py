"""Maximum of windows, neighbouring outputs along a row unrolled: columns first, then along the row.

y[i][j][c] = max over s of (max over r of x[i*u+r-p][j*v+s-q][c]): the maximum of an input column is
taken once for all outputs that share it. A row outside the image is replaced by the nearest one
inside, which is among those of the same window: what a maximum has already does not change it.
"""

from __future__ import annotations

from typing import ClassVar

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
from netgen.ops.max_pool2d import MaxPool2d


class MaxPool2dF32(PoolKernel):
    """Any stride and padding, and taps few enough to unroll."""

    name: ClassVar[str] = "max_pool2d_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (MaxPool2d,)
    numeric_form: ClassVar[str] = "max"
    unrolled: ClassVar[bool] = True

    def accepts(self, layer: Layer) -> bool:
        """Taps few enough to unroll."""
        return isinstance(layer.op, MaxPool2d) and fits_tiles(layer, layer.op.window())

    def runs_on(self, target: Target) -> bool:
        """Whether there are vector types: without, each tap would be a loop, which takes flash."""
        return target.f32.vector_types

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, vectors of channels, tiles."""
        return tile_parameters(layer, pool_window(layer), target)

    def cost(self, layer: Layer, target: Target) -> float:
        """One operation, and less than one load, for each vector and tap."""
        return unrolled_cost(layer, pool_window(layer), target)
