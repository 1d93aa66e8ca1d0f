"""Transposed convolution of codes: of each output the pixels whose windows reach it, none else.

y[i][j][o] = code of (b[o] + sum over h, v, c of (x[h][v][c] - x's zero) (w[o][i+p-h*u][j+q-v*t][c]
- w's zero)). Packed for each output, in the order of blocks: bias and two words of rescaling;
behind all of them the weights.
"""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array
from netgen.kernels.i8.sums import describe_codes
from netgen.kernels.i8.weighted_kernel import WeightedI8
from netgen.kernels.layer import ByRows, Json, Layer
from netgen.kernels.layout import Places
from netgen.kernels.loops import RowKernel
from netgen.kernels.targets import Target
from netgen.kernels.transposed import (
    blocked_weights,
    describe_transposed,
    output_order,
    transposed_cost,
    transposed_title,
)
from netgen.ops.transpose_conv2d import TransposeConv2d


class TransposeConv2dI8(WeightedI8, RowKernel):
    """Any window and stride."""

    name: ClassVar[str] = "transpose_conv2d_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (TransposeConv2d,)
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Every transposed convolution."""
        return isinstance(layer.op, TransposeConv2d)

    def title(self, layer: Layer) -> str:
        """Element type, kernel, stride, shapes, activation."""
        return transposed_title(layer)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Windows, blocks of outputs, zero points and bounds."""
        return {**describe_transposed(layer, target), **describe_codes(layer)}

    def packed_outputs(self, layer: Layer, target: Target) -> Places:
        """The order of blocks."""
        return output_order(layer, target)

    def packed_weights(self, layer: Layer, target: Target, w: Array) -> Array:
        """Weights by block."""
        return blocked_weights(layer, target, w)

    def cost(self, layer: Layer, target: Target) -> float:
        """A product and a sum for each weight and pixel."""
        del target
        return transposed_cost(layer, 2.0)
