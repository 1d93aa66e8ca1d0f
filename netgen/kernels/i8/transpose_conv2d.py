"""Transposed convolution of codes: of each output the pixels whose windows reach it, none else.

y[i][j][o] = code of (b[o] + sum over h, v, c of (x[h][v][c] - x's zero) (w[o][i+p-h*u][j+q-v*t][c]
- w's zero)). Packed for each output, in the order of blocks: bias and two words of rescaling;
behind all of them the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.i8.sums import (
    CODES,
    NUMBERS,
    bias_of,
    checked_sums,
    describe_codes,
    rescaling_words,
    word_bytes,
    words_of,
)
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer, Packed
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


class TransposeConv2dI8(RowKernel):
    """Any window and stride."""

    name: ClassVar[str] = "transpose_conv2d_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (TransposeConv2d,)
    numeric_form: ClassVar[str] = "codes"
    elements: ClassVar[ElementsByLetter] = {"": CODES, "b": frozenset({"i32"})}
    weights_element: ClassVar[str] = "i32"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    any_layout: ClassVar[bool] = True
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

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Numbers of outputs, then weights."""
        checked_sums(layer, constants)
        order = output_order(layer, target)
        bias = bias_of(constants)[order].reshape(-1, 1)
        numbers = np.concatenate([bias, rescaling_words(layer, constants)[order]], axis=1)
        weights = words_of(blocked_weights(layer, target, constants))
        return np.concatenate([numbers.ravel(), weights])

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """All weights and three words for each output."""
        del target
        w = layer.operands["w"]
        return 4 * NUMBERS * w.shape[0] + word_bytes(w.bytes)

    def cost(self, layer: Layer, target: Target) -> float:
        """A product and a sum for each weight and pixel."""
        del target
        return transposed_cost(layer, 2.0)
