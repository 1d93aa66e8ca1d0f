"""Any convolution of codes: groups, dilation, whatever the others do not take. Plain loops.

y[i][j][o] = code of (b[o] + sum over r, s, c of (x[i*u+r*d-p][j*v+s*e-q][g*C+c] - x's zero)
(w[o][r][s][c] - w's zero)), taps outside the image skipped. Inputs c of a group are visited in the
order of their places in x, its outputs o in that of their places in y. Packed per visited output:
bias and two words of rescaling; behind all of them the weights, by (o, r, s, c).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.geometry import describe_window, window_title
from netgen.kernels.i8.sums import (
    CODES,
    NUMBERS,
    bias_of,
    checked_sums,
    codes_title,
    describe_codes,
    rescaling_words,
    word_bytes,
    words_of,
)
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer, Packed
from netgen.kernels.loops import RowKernel
from netgen.kernels.products import (
    describe_inputs,
    describe_outputs,
    describe_product_pitches,
    visited,
    visiting_orders,
)
from netgen.kernels.targets import Target
from netgen.ops.conv2d import Conv2d


class Conv2dPortableI8(RowKernel):
    """The one that always works."""

    name: ClassVar[str] = "conv2d_portable_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Conv2d,)
    numeric_form: ClassVar[str] = "codes"
    elements: ClassVar[ElementsByLetter] = {"": CODES, "b": frozenset({"i32"})}
    weights_element: ClassVar[str] = "i32"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Every conv2d."""
        return isinstance(layer.op, Conv2d)

    def title(self, layer: Layer) -> str:
        """Element type, kernel, stride, input and output shape, groups."""
        op = layer.op
        assert isinstance(op, Conv2d)
        groups = "" if op.groups == 1 else f"_g{op.groups}"
        dilation = "" if op.dilation == (1, 1) else f"_d{max(op.dilation)}"
        operator = f"conv2d_{codes_title(layer)}"
        return window_title(operator, layer, op.window, groups + dilation, op.act)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window and groups, zero points and bounds."""
        del target
        op, w = layer.op, layer.operands["w"].shape
        assert isinstance(op, Conv2d)
        inputs, dilated = describe_inputs(layer, op.groups), op.dilation != (1, 1)
        dense = not inputs["x_runs"] and layer.layout("x").pitch == w[3]
        return {
            **describe_window(layer, op.window(w)),
            **describe_product_pitches(layer),
            **inputs,
            "dilated": dilated,
            # Inputs of all columns of a window follow each other.
            "joined": dense and not dilated,
            **describe_codes(layer),
            "groups": op.groups,
            "spans": describe_outputs(layer, op.groups),
            "group_inputs": w[3],
            "group_outputs": w[0] // op.groups,
        }

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Numbers of outputs, then weights."""
        del target
        op = layer.op
        assert isinstance(op, Conv2d)
        checked_sums(layer, constants)
        w, b = visited(layer, op.groups, {**constants, "b": bias_of(constants)})
        order = visiting_orders(layer.layout("y"), op.groups).ravel()
        rescaling = rescaling_words(layer, constants)[order]
        numbers = np.concatenate([b.reshape(-1, 1), rescaling], axis=1)
        return np.concatenate([numbers.ravel(), words_of(w)])

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """All weights and three words for each output."""
        del target
        w = layer.operands["w"]
        return 4 * NUMBERS * w.shape[0] + word_bytes(w.bytes)
