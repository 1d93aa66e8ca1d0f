"""Maximum of windows, a vector of channels at a time; taps outside the image are skipped."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, Json, Kernel, Layer
from netgen.kernels.pooling import pool_title, window_cost, window_parameters
from netgen.kernels.split import Split
from netgen.kernels.split_loops import split_rows
from netgen.kernels.targets import Target
from netgen.ops.max_pool2d import MaxPool2d


class MaxPool2dPortableF32(Kernel):
    """The one that always works."""

    name: ClassVar[str] = "max_pool2d_portable_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (MaxPool2d,)
    numeric_form: ClassVar[str] = "max"
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Every max_pool2d."""
        return isinstance(layer.op, MaxPool2d)

    def title(self, layer: Layer) -> str:
        """Kernel, stride, shape of x."""
        op = layer.op
        assert isinstance(op, MaxPool2d)
        return pool_title("max_pool2d", layer, op.window())

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window and vectors of channels."""
        assert isinstance(layer.op, MaxPool2d)
        return window_parameters(layer, layer.op.window(), target)

    def cost(self, layer: Layer, target: Target) -> float:
        """One load and one operation for each vector and tap, in a loop."""
        assert isinstance(layer.op, MaxPool2d)
        return window_cost(layer, layer.op.window(), target)

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """By rows."""
        del target, overwritten
        return split_rows(layer, threads)
