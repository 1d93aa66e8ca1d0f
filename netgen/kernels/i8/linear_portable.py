"""Fully connected layer of codes. Plain loops.

y[o] = code of (b[o] + sum over c of (x[c] - x's zero) (w[o][c] - w's zero)), c in the order of the
places in x, o in that of the places in y. Packed per output: bias and two words of rescaling;
behind all of them the weights, by (o, c).
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
    codes_title,
    describe_codes,
    rescaling_words,
    word_bytes,
    words_of,
)
from netgen.kernels.layer import ElementsByLetter, Json, Kernel, Layer, Packed
from netgen.kernels.products import describe_inputs, describe_outputs, visited, visiting_orders
from netgen.kernels.targets import Target
from netgen.ops.linear import Linear


class LinearPortableI8(Kernel):
    """The one that always works."""

    name: ClassVar[str] = "linear_portable_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Linear,)
    numeric_form: ClassVar[str] = "codes"
    elements: ClassVar[ElementsByLetter] = {"": CODES, "b": frozenset({"i32"})}
    weights_element: ClassVar[str] = "i32"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    any_layout: ClassVar[bool] = True

    def accepts(self, layer: Layer) -> bool:
        """Every linear."""
        return isinstance(layer.op, Linear)

    def title(self, layer: Layer) -> str:
        """Element type, inputs, outputs, activation."""
        op, (outputs, inputs) = layer.op, layer.operands["w"].shape
        assert isinstance(op, Linear)
        ends = "" if op.act == "none" else f"_{op.act}"
        return f"linear_{codes_title(layer)}_{inputs}x{outputs}{ends}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Inputs, outputs in spans, zero points and bounds."""
        del target
        outputs, inputs = layer.operands["w"].shape
        return {
            "outputs": outputs,
            "group_inputs": inputs,
            **describe_inputs(layer, 1),
            **describe_codes(layer),
            "spans": describe_outputs(layer, 1),
            "groups": 1,
        }

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Numbers of outputs, then weights."""
        del target
        checked_sums(layer, constants)
        w, b = visited(layer, 1, {**constants, "b": bias_of(constants)})
        order = visiting_orders(layer.layout("y"), 1).ravel()
        rescaling = rescaling_words(layer, constants)[order]
        numbers = np.concatenate([b.reshape(-1, 1), rescaling], axis=1)
        return np.concatenate([numbers.ravel(), words_of(w)])

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """All weights and three words for each output."""
        del target
        w = layer.operands["w"]
        return 4 * NUMBERS * w.shape[0] + word_bytes(w.bytes)
