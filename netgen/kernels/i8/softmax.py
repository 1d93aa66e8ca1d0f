"""Softmax of codes: y[c] = 256ths of a power over the sum of all powers, in each pixel.

Powers of e for all differences of codes are a table, which follows from the scale alone.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import ElementKernel
from netgen.kernels.targets import Target
from netgen.ops.rescaled import scale_of
from netgen.ops.softmax import Softmax
from netgen.ops.softmax_of_codes import LEAST, powers_of_codes


class SoftmaxI8(ElementKernel):
    """Any number of pixels and channels."""

    name: ClassVar[str] = "softmax_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Softmax,)
    numeric_form: ClassVar[str] = "softmax-of-codes"
    elements: ClassVar[ElementsByLetter] = {"": frozenset({"i8", "u8"})}
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every softmax."""
        return isinstance(layer.op, Softmax)

    def title(self, layer: Layer) -> str:
        """Element type, pixels and channels."""
        channels = layer.result.shape[-1]
        return f"softmax_{layer.result.dtype}_{layer.result.elements // channels}x{channels}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Pixels, channels, powers as long as they are more than nothing, the code of nothing."""
        del target
        op, x = layer.op, layer.operands["x"]
        assert isinstance(op, Softmax)
        channels = layer.result.shape[-1]
        powers = powers_of_codes(op.beta, scale_of(x))
        terms = int(np.flatnonzero(powers >= LEAST)[-1]) + 1
        return {
            "pixels": layer.result.elements // channels,
            "channels": channels,
            "powers": [int(power) for power in powers[:terms]],
            "terms": terms,
            "nothing": x.element.low,
        }
