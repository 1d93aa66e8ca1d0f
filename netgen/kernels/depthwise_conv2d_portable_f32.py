"""Any depthwise convolution: channel multipliers, dilation, large kernels. Plain loops.

y[i][j][c*m+t] = act(b + sum over r, s of x[i*u+r*d-p][j*v+s*e-q][c] w[c*m+t][r][s]), r and s
ascending, taps outside the image skipped. Weights per output: the bias, then (r, s).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.geometry import describe_window, window_title
from netgen.kernels.layer import Json, Kernel, Layer, Packed
from netgen.kernels.targets import Target
from netgen.ops.depthwise_conv2d import DepthwiseConv2d


class DepthwiseConv2dPortableF32(Kernel):
    """The one that always works."""

    name: ClassVar[str] = "depthwise_conv2d_portable_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (DepthwiseConv2d,)
    numeric_form: ClassVar[str] = "direct"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")

    def accepts(self, layer: Layer) -> bool:
        """Every depthwise_conv2d."""
        return isinstance(layer.op, DepthwiseConv2d)

    def title(self, layer: Layer) -> str:
        """Kernel, stride, input and output shape."""
        op = layer.op
        assert isinstance(op, DepthwiseConv2d)
        dilation = "" if op.dilation == (1, 1) else f"_d{max(op.dilation)}"
        return window_title("depthwise", layer, op.window, dilation, op.act)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window and multiplier."""
        del target
        op, w = layer.op, layer.operands["w"].shape
        assert isinstance(op, DepthwiseConv2d)
        return {
            **describe_window(layer, op.window(w)),
            "multiplier": w[0] // layer.operands["x"].shape[3],
            "act": op.act,
        }

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Per output: the bias, then its weights."""
        del layer, target
        w = constants["w"]
        b = constants.get("b", np.zeros(w.shape[0], np.float32))
        return np.concatenate([b[:, None], w.reshape(w.shape[0], -1)], axis=1).ravel()
