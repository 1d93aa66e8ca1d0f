"""Any depthwise convolution of codes: channel multipliers, dilation, large kernels. Plain loops.

y[i][j][c*m+t] = code of (b + sum over r, s of (x[i*u+r*d-p][j*v+s*e-q][c] - x's zero)
(w[c*m+t][r][s] - w's zero)), taps outside the image skipped. Packed per output, in the order of the
places in y: bias and two words of rescaling; behind all of them the weights, by (o, r, s).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array
from netgen.kernels.depthwise_stretches import depthwise_stretches
from netgen.kernels.geometry import describe_window, dilation_title, window_title
from netgen.kernels.i8.sums import codes_title, describe_codes
from netgen.kernels.i8.weighted_kernel import WeightedI8
from netgen.kernels.layer import ByRows, Json, Layer
from netgen.kernels.layout import Places
from netgen.kernels.loops import RowKernel
from netgen.kernels.products import describe_product_pitches
from netgen.kernels.row_pairs import distance_in_place
from netgen.kernels.split import Split
from netgen.kernels.stretches import in_place, order_of
from netgen.kernels.targets import Target
from netgen.ops.depthwise_conv2d import DepthwiseConv2d


class DepthwiseConv2dPortableI8(WeightedI8, RowKernel):
    """The one that always works."""

    name: ClassVar[str] = "depthwise_conv2d_portable_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (DepthwiseConv2d,)
    by_rows: ClassVar[ByRows] = "window"
    in_order: ClassVar[bool] = True

    def accepts(self, layer: Layer) -> bool:
        """Every depthwise_conv2d."""
        return isinstance(layer.op, DepthwiseConv2d)

    def title(self, layer: Layer) -> str:
        """Element type, kernel, stride, input and output shape."""
        op = layer.op
        assert isinstance(op, DepthwiseConv2d)
        dilation = dilation_title(op)
        return window_title(f"depthwise_{codes_title(layer)}", layer, op.window, dilation, op.act)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, multiplier, loops over the outputs, zero points and bounds."""
        del target
        op, w = layer.op, layer.operands["w"].shape
        assert isinstance(op, DepthwiseConv2d)
        return {
            **describe_window(layer, op.window(w)),
            "multiplier": w[0] // layer.operands["x"].shape[3],
            **describe_product_pitches(layer),
            **describe_codes(layer),
            "stretches": depthwise_stretches(layer),
        }

    def packed_outputs(self, layer: Layer, target: Target) -> Places:
        """The order of their places in y."""
        del target
        return order_of(layer)

    def packed_weights(self, layer: Layer, target: Target, w: Array) -> Array:
        """Weights by (o, r, s)."""
        return np.asarray(w[self.packed_outputs(layer, target)])

    def overlap(self, layer: Layer) -> dict[str, int]:
        """With one output per channel the result may follow the inputs that no later one reads."""
        op, w = layer.op, layer.operands["w"].shape
        assert isinstance(op, DepthwiseConv2d)
        if w[0] != layer.operands["x"].shape[3]:
            return {}
        return in_place(layer, "x", distance_in_place(layer, op.window(w)))

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """Division by rows, unless the output takes the place of x."""
        return None if "x" in overwritten else super().split(layer, target, threads, overwritten)
