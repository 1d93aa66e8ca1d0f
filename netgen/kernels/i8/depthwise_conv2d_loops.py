"""Depthwise convolution of codes, one output per channel, undilated: blocks of channels at once.

The codes of the portable kernel. The loop over the channels of a block is the innermost one, so
compilers make vectors of it. Packed per channel, in the order in which they are visited: bias and
two words of rescaling; behind all of them the weights, by (r, s, c).
"""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.tensor_type import Array
from netgen.kernels.geometry import describe_window
from netgen.kernels.i8.depthwise_conv2d_portable import DepthwiseConv2dPortableI8
from netgen.kernels.i8.sums import describe_codes
from netgen.kernels.layer import Json, Layer
from netgen.kernels.layout import Places
from netgen.kernels.stretches import (
    VectorRun,
    describe_pitches,
    describe_vector_runs,
    packed_order,
    vector_runs,
)
from netgen.kernels.targets import Target
from netgen.kernels.tiling import Tiling
from netgen.ops.depthwise_conv2d import DepthwiseConv2d

# Sums of a block of channels, which are arrays of plain C.
_SUMS = Tiling(vector_widths=(16, 8, 4))


class DepthwiseConv2dLoopsI8(DepthwiseConv2dPortableI8):
    """Plain loops over windows and blocks of channels."""

    name: ClassVar[str] = "depthwise_conv2d_loops_i8"

    def accepts(self, layer: Layer) -> bool:
        """One output per channel, undilated."""
        same = layer.result.shape[3] == layer.operands["x"].shape[3]
        return isinstance(layer.op, DepthwiseConv2d) and same and layer.op.dilation == (1, 1)

    def cost(self, layer: Layer, target: Target) -> float:
        """Less than channel by channel."""
        return 0.5 * super().cost(layer, target)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, blocks of channels, zero points and bounds."""
        op, w = layer.op, layer.operands["w"].shape
        assert isinstance(op, DepthwiseConv2d)
        return {
            **describe_window(layer, op.window(w)),
            **describe_pitches(layer, ("x", "y")),
            **describe_codes(layer),
            "blocks": describe_vector_runs(_blocks(layer, target), _SUMS),
        }

    def packed_outputs(self, layer: Layer, target: Target) -> Places:
        """The order in which they are visited."""
        return packed_order(layer, _blocks(layer, target))

    def packed_weights(self, layer: Layer, target: Target, w: Array) -> Array:
        """Weights by (r, s, c)."""
        order = self.packed_outputs(layer, target)
        return w[order].reshape(len(order), -1).T


def _blocks(layer: Layer, target: Target) -> list[VectorRun]:
    return vector_runs(layer, target.retiled(layer.result.dtype, _SUMS), repeat=False)
