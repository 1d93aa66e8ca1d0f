"""Mean of windows, a vector of channels at a time; taps outside the image are skipped."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.f32.pooling import PoolKernel, pool_window, window_cost, window_parameters
from netgen.kernels.layer import Json, Layer, Shared
from netgen.kernels.sharing import shared_form, with_vectors
from netgen.kernels.stretches import vector_runs
from netgen.kernels.targets import Target
from netgen.ops.avg_pool2d import AvgPool2d


class AvgPool2dPortableF32(PoolKernel):
    """The one that always works; r and s ascend in the sum."""

    name: ClassVar[str] = "avg_pool2d_portable_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (AvgPool2d,)
    numeric_form: ClassVar[str] = "direct"

    def accepts(self, layer: Layer) -> bool:
        """Every avg_pool2d."""
        return isinstance(layer.op, AvgPool2d)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, vectors of channels, and the extents of what counts."""
        op = layer.op
        assert isinstance(op, AvgPool2d)
        top, bottom, left, right = op.counted
        _, height, width, _ = layer.operands["x"].shape
        return {
            **window_parameters(layer, op.window(), target),
            "count_top": -top,
            "count_bottom": height + bottom,
            "count_left": -left,
            "count_right": width + right,
        }

    def shared(self, layer: Layer, target: Target) -> Shared | None:
        """All, where channels are neighbours in x and y."""
        form = shared_form(layer, self.parameters(layer, target))
        runs = vector_runs(layer, target, repeat=False)
        return with_vectors(form, "vectors", runs, target.f32)

    def cost(self, layer: Layer, target: Target) -> float:
        """One load and one operation for each vector and tap, in a loop."""
        return window_cost(layer, pool_window(layer), target)
