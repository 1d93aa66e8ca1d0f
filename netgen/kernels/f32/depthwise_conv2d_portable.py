"""Any depthwise convolution: channel multipliers, dilation, large kernels. Plain loops.

y[i][j][c*m+t] = act(b + sum over r, s of x[i*u+r*d-p][j*v+s*e-q][c] w[c*m+t][r][s]), r and s
ascending, taps outside the image skipped. Weights per output, in the order of the places in y: the
bias, then (r, s).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.depthwise_stretches import depthwise_stretches
from netgen.kernels.geometry import describe_window, dilation_title, window_title
from netgen.kernels.layer import ByRows, Json, Layer, Packed, Shared
from netgen.kernels.loops import RowKernel
from netgen.kernels.products import describe_product_pitches
from netgen.kernels.sharing import shared_form
from netgen.kernels.split import Split
from netgen.kernels.stretches import order_of
from netgen.kernels.targets import Target
from netgen.ops.depthwise_conv2d import DepthwiseConv2d


class DepthwiseConv2dPortableF32(RowKernel):
    """The one that always works."""

    name: ClassVar[str] = "depthwise_conv2d_portable_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (DepthwiseConv2d,)
    numeric_form: ClassVar[str] = "direct"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Every depthwise_conv2d."""
        return isinstance(layer.op, DepthwiseConv2d)

    def title(self, layer: Layer) -> str:
        """Kernel, stride, input and output shape."""
        op = layer.op
        assert isinstance(op, DepthwiseConv2d)
        dilation = dilation_title(op)
        return window_title("depthwise", layer, op.window, dilation, op.act)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, multiplier, loops over the outputs."""
        op, w = layer.op, layer.operands["w"].shape
        assert isinstance(op, DepthwiseConv2d)
        return {
            **describe_window(layer, op.window(w)),
            "multiplier": w[0] // layer.operands["x"].shape[3],
            **describe_product_pitches(layer),
            "stretches": depthwise_stretches(layer),
            "act": op.act,
            "fused": target.processor.multiply_add,
        }

    def shared(self, layer: Layer, target: Target) -> Shared | None:
        """All but the activation and the places of channels."""
        return shared_form(layer, self.parameters(layer, target))

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Per output: the bias, then its weights."""
        del target
        w, order = constants["w"], order_of(layer)
        b = constants.get("b", np.zeros(w.shape[0], np.float32))
        return np.concatenate([b[:, None], w.reshape(w.shape[0], -1)], axis=1)[order].ravel()

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """All weights and a bias for each output."""
        del target
        w = layer.operands["w"]
        return w.bytes + w.shape[0] * w.element.bytes

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """Division by rows, unless the output takes the place of x."""
        return None if "x" in overwritten else super().split(layer, target, threads, overwritten)
