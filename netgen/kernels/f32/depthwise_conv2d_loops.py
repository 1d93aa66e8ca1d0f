"""Depthwise convolution in loops over pixels and taps, a vector of channels at a time: for --small.

The same sums as `depthwise_conv2d`, r and s ascending, taps outside the image skipped. Bounds of
loops are all that depends on a layer's sizes, so all layers with one activation share a function.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netgen.kernels.f32.depthwise_conv2d import DepthwiseConv2dF32
from netgen.kernels.f32.pooling import window_cost
from netgen.kernels.geometry import describe_window
from netgen.kernels.layer import Choice, Json, Layer, Shared
from netgen.kernels.loops import row_loop
from netgen.kernels.sharing import shared_form, with_vectors
from netgen.kernels.split import Loop, Split
from netgen.kernels.split_loops import split_rows
from netgen.kernels.stretches import VectorRun, describe_pitches, describe_vector_runs, vector_runs
from netgen.kernels.targets import Target
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.window import Window


class DepthwiseConv2dLoopsF32(DepthwiseConv2dF32):
    """The sums of the unrolled kernel, in a fraction of its code."""

    name: ClassVar[str] = "depthwise_conv2d_loops_f32"
    unrolled: ClassVar[bool] = False

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, vectors of channels."""
        assert isinstance(layer.op, DepthwiseConv2d)
        return {
            **describe_window(layer, _window(layer)),
            **describe_pitches(layer, ("x", "y")),
            "act": layer.op.act,
            "fused": target.processor.multiply_add,
            "vectors": describe_vector_runs(self._runs(layer, target), target.f32),
        }

    def shared(self, layer: Layer, target: Target) -> Shared | None:
        """All but the activation, where channels are neighbours in x and y."""
        form = shared_form(layer, self.parameters(layer, target))
        return with_vectors(form, "vectors", self._runs(layer, target), target.f32)

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """There is one way."""
        del layer, target
        return ()

    def cost(self, layer: Layer, target: Target) -> float:
        """A load, a multiply-add and a turn of a loop for each vector and tap."""
        return window_cost(layer, _window(layer), target)

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """A division by rows, unless the output takes the place of x."""
        del target
        return None if "x" in overwritten else split_rows(layer, threads)

    def loops(self, parameters: Mapping[str, Json], by: str) -> tuple[Loop, ...]:
        """Rows."""
        return row_loop(parameters) if by == "rows" else ()

    def _runs(self, layer: Layer, target: Target) -> list[VectorRun]:
        return vector_runs(layer, target, repeat=False)


def _window(layer: Layer) -> Window:
    assert isinstance(layer.op, DepthwiseConv2d)
    return layer.op.window(layer.operands["w"].shape)
