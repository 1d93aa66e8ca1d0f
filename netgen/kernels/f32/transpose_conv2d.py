"""Transposed convolution: of each output the pixels whose windows reach it, none else.

y[i][j][o] = act(b[o] + sum over h, v, c of x[h][v][c] w[o][i+p-h*u][j+q-v*t][c]); h and v ascend,
and c in the order of the places in x. Packed: all biases in the order of blocks, then the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer, Packed
from netgen.kernels.loops import RowKernel
from netgen.kernels.targets import Target
from netgen.kernels.transposed import (
    blocked_weights,
    describe_transposed,
    output_order,
    transposed_cost,
    transposed_op,
    transposed_title,
)
from netgen.ops.transpose_conv2d import TransposeConv2d


class TransposeConv2dF32(RowKernel):
    """Any window and stride."""

    name: ClassVar[str] = "transpose_conv2d_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (TransposeConv2d,)
    numeric_form: ClassVar[str] = "direct"
    elements: ClassVar[ElementsByLetter] = {"": frozenset({"f32"})}
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Every transposed convolution."""
        return isinstance(layer.op, TransposeConv2d)

    def title(self, layer: Layer) -> str:
        """Kernel, stride, shapes, activation."""
        return transposed_title(layer)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Windows, blocks of outputs, activation."""
        fused, act = target.processor.multiply_add, transposed_op(layer).act
        return {**describe_transposed(layer, target), "act": act, "fused": fused}

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Biases, then weights."""
        w = constants["w"]
        b = constants.get("b", np.zeros(len(w), w.dtype))[output_order(layer, target)]
        return np.concatenate([b, blocked_weights(layer, target, constants["w"])])

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """All weights and a bias for each output."""
        del target
        w = layer.operands["w"]
        return w.bytes + w.shape[0] * w.element.bytes

    def cost(self, layer: Layer, target: Target) -> float:
        """A multiply-add for each product."""
        del target
        return transposed_cost(layer, 1.0)
