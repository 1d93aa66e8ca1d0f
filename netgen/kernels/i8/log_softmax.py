"""Logarithms of a softmax of codes: y[c] = x[c] - log of the sum of powers, in each pixel.

Powers of e for all differences of codes are a table, which follows from the scale alone.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.i8.binary import described
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import ElementKernel
from netgen.kernels.targets import Target
from netgen.ops.fixed_point import halved
from netgen.ops.log_softmax import LogSoftmax
from netgen.ops.log_softmax_of_codes import codes_of
from netgen.ops.rescaled import scale_of
from netgen.ops.softmax_of_codes import exponents_of_codes, powers_of_codes


class LogSoftmaxI8(ElementKernel):
    """Any number of pixels and channels."""

    name: ClassVar[str] = "log_softmax_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (LogSoftmax,)
    numeric_form: ClassVar[str] = "log-softmax-of-codes"
    elements: ClassVar[ElementsByLetter] = {"": frozenset({"i8", "u8"})}
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every log_softmax."""
        return isinstance(layer.op, LogSoftmax)

    def title(self, layer: Layer) -> str:
        """Element type, pixels and channels."""
        elements, channels = layer.result.elements, layer.result.shape[-1]
        return f"log_softmax_{layer.result.dtype}_{elements // channels}x{channels}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Pixels, channels, powers in Q12.19 as long as they are more than nothing, multipliers."""
        del target
        x, y = layer.operands["x"], layer.result
        channels, by = y.shape[-1], exponents_of_codes(1.0, scale_of(x))
        powers = halved(powers_of_codes(1.0, scale_of(x)), 12)
        terms = int(np.flatnonzero(powers)[-1]) + 1
        return {
            "pixels": y.elements // channels,
            "channels": channels,
            "powers": [int(power) for power in powers[:terms]],
            "terms": terms,
            # Differences that are larger have no exponent.
            "exponents": min(by.furthest, 255) + 1,
            **described("exponent", by.factor),
            **described("code", codes_of(by)),
            "low": y.element.low,
            "high": y.element.high,
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """A table, a rounded product, another rounding; a logarithm for each pixel."""
        del target
        return 12.0 * layer.result.elements + 100.0 * layer.result.elements / layer.result.shape[-1]
