"""Depthwise convolution of codes, one output per channel, undilated: blocks of channels at once.

The codes of the portable kernel. The loop over the channels of a block is the innermost one, so
compilers make vectors of it. Where the window is inside the image, and small, it has all taps: sums
then stay in registers. A product of an input and a weight fits 16 bits if the weights' zero point
is 0. Packed: numbers by kind (`numbers_by_kind`), in the order in which channels are visited, then
weights by (r, s, c).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.geometry import describe_window
from netgen.kernels.i8.depthwise_conv2d_portable import DepthwiseConv2dPortableI8
from netgen.kernels.i8.numbers_by_kind import count_of_numbers, pack_numbers
from netgen.kernels.i8.sums import describe_codes, rounding_of, words_of
from netgen.kernels.layer import Json, Layer, Packed
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
from netgen.ops.window import Window

# Sums of a block of channels, which are arrays of plain C.
_SUMS = Tiling(vector_widths=(16, 8, 4))
# Taps that stand side by side in one loop.
_UNROLLED = 9


class DepthwiseConv2dLoopsI8(DepthwiseConv2dPortableI8):
    """Plain loops over windows and blocks of channels."""

    name: ClassVar[str] = "depthwise_conv2d_loops_i8"

    def accepts(self, layer: Layer) -> bool:
        """One output per channel, undilated."""
        same = layer.result.shape[3] == layer.operands["x"].shape[3]
        op = layer.op
        if not isinstance(op, DepthwiseConv2d):
            return False
        return same and op.dilation == (1, 1) and rounding_of(op) == "fixed"

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
            "numbers": count_of_numbers(w[0]),
            "taps": _unrolled_taps(op.window(w)),
            # Of such products 16 bits are enough.
            "narrow": layer.operands["w"].dtype == "i8" and layer.operands["w"].zero == 0,
        }

    def packed_outputs(self, layer: Layer, target: Target) -> Places:
        """The order in which they are visited."""
        return packed_order(layer, _blocks(layer, target))

    def packed_weights(self, layer: Layer, target: Target, w: Array) -> Array:
        """Weights by (r, s, c)."""
        order = self.packed_outputs(layer, target)
        return w[order].reshape(len(order), -1).T

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Numbers by kind, then weights. Raises WeightsError where sums do not fit int32."""
        numbers = pack_numbers(layer, constants, self.packed_outputs(layer, target))
        weights = words_of(self.packed_weights(layer, target, constants["w"]))
        return np.concatenate([numbers, weights])

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """All weights, three words for each channel, and the form."""
        return 4 + super().packed_bytes(layer, target)


def _blocks(layer: Layer, target: Target) -> list[VectorRun]:
    return vector_runs(layer, target.retiled(layer.result.dtype, _SUMS), repeat=False)


def _unrolled_taps(window: Window) -> list[Json]:
    """Row and column of each tap that one loop adds up; none if they are many."""
    rows, columns = window.size
    if rows * columns > _UNROLLED:
        return []
    return [
        {"r": r, "s": s, "number": r * columns + s} for r in range(rows) for s in range(columns)
    ]
