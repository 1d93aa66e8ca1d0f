"""Maximum of windows, neighbouring outputs along a row unrolled: columns first, then along the row.

y[i][j][c] = max over s of (max over r of x[i*u+r-p][j*v+s-q][c]): the maximum of an input column is
taken once for all outputs that share it. A row outside the image is replaced by the nearest one
inside, which is among those of the same window: what a maximum has already does not change it.
"""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, Json, Kernel, Layer
from netgen.kernels.pooling import fits_tiles, pool_title, tile_parameters, unrolled_cost
from netgen.kernels.split import Split
from netgen.kernels.split_loops import split_rows
from netgen.kernels.targets import Target
from netgen.ops.max_pool2d import MaxPool2d


class MaxPool2dF32(Kernel):
    """Any stride and padding, and taps few enough to unroll."""

    name: ClassVar[str] = "max_pool2d_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (MaxPool2d,)
    numeric_form: ClassVar[str] = "max"
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Taps few enough to unroll."""
        return isinstance(layer.op, MaxPool2d) and fits_tiles(layer, layer.op.window())

    def runs_on(self, target: Target) -> bool:
        """Where vectors are loops over lanes, each tap would be a loop, which takes flash."""
        return target.gnu_vectors

    def title(self, layer: Layer) -> str:
        """Kernel, stride, shape of x."""
        assert isinstance(layer.op, MaxPool2d)
        return pool_title("max_pool2d", layer, layer.op.window())

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, vectors of channels, tiles."""
        assert isinstance(layer.op, MaxPool2d)
        return tile_parameters(layer, layer.op.window(), target)

    def cost(self, layer: Layer, target: Target) -> float:
        """One operation, and less than one load, for each vector and tap."""
        assert isinstance(layer.op, MaxPool2d)
        return unrolled_cost(layer, layer.op.window(), target)

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """By rows."""
        del target, overwritten
        return split_rows(layer, threads)
