"""Mean over all pixels: y[c] = (sum over i of (sum over j of x[i][j][c])) / pixels.

Pixels are added in order within a row, then rows in order, so bands of rows change nothing: the
sums wait in y, and the last band divides them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, Json, Kernel, Layer, Shared
from netgen.kernels.loops import channel_loops
from netgen.kernels.sharing import shared_form, with_vectors
from netgen.kernels.split import Loop, Split
from netgen.kernels.split_loops import split_vectors
from netgen.kernels.stretches import describe_pitches, describe_vector_runs, vector_runs
from netgen.kernels.targets import Target
from netgen.ops.global_avg_pool import GlobalAvgPool


class GlobalAvgPoolF32(Kernel):
    """Any shape, vectorised along channels."""

    name: ClassVar[str] = "global_avg_pool_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (GlobalAvgPool,)
    numeric_form: ClassVar[str] = "rows-in-order"
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "sums"

    def accepts(self, layer: Layer) -> bool:
        """Every global average."""
        return isinstance(layer.op, GlobalAvgPool)

    def title(self, layer: Layer) -> str:
        """Pixels and channels."""
        _, height, width, channels = layer.operands["x"].shape
        return f"global_avg_pool_{height}x{width}x{channels}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Rows, columns, channels and their vectors."""
        _, height, width, channels = layer.operands["x"].shape
        return {
            "height": height,
            "width": width,
            "channels": channels,
            "band_rows": layer.band.rows if layer.band else 0,
            **describe_pitches(layer, ("x",)),
            "vectors": describe_vector_runs(vector_runs(layer, target), target.f32),
        }

    def shared(self, layer: Layer, target: Target) -> Shared | None:
        """All, where channels are neighbours in x and y."""
        form = shared_form(layer, self.parameters(layer, target))
        runs = vector_runs(layer, target, repeat=False)
        return with_vectors(form, "vectors", runs, target.f32)

    def cost(self, layer: Layer, target: Target) -> float:
        """One addition per element, vectorised by the compiler."""
        return 3.0 * layer.operands["x"].elements / max((1, *target.f32.vector_widths))

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """Division by vectors of channels: pixels of one channel are added in order."""
        del overwritten
        return split_vectors(layer, vector_runs(layer, target), threads)

    def loops(self, parameters: Mapping[str, Json], by: str) -> tuple[Loop, ...]:
        """Vectors of channels."""
        return channel_loops(parameters["vectors"]) if by == "vectors" else ()
