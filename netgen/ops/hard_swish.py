"""hard_swish: y = x (min(max(x + 3, 0), 6) / 6), elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.magnitude import Range, Spread
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.fixed_point import Multiplier, bounded_multiplier, float_ratio, halved, high_product
from netgen.ops.rescaled import own_codes, scale_of

# The scale at which 3 is 2 ** 15, in float32, and how far int16 are shifted at most.
_GATE_SCALE = float(np.float32(3.0) / np.float32(32768.0))
_MOST_LEFT = 31


@dataclass(frozen=True)
class HardSwish(ElementwiseActivation):
    """Hard swish (Howard et al. 2019, MobileNetV3)."""

    operator_name: ClassVar[str] = "hard_swish"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8"})
    # By integration, to three digits, where x has the mean square 1.
    squares: ClassVar[tuple[float, float]] = (0.0, 0.332)
    limits: ClassVar[Range] = (-0.375, inf)
    # It passes a quarter of small mean squares and half of large ones, so it drives any fault
    # apart, most of all at 1. From 4 on most values lie beyond its bends.
    aim: ClassVar[float] = 4.0

    def activate(self, x: Array) -> Array:
        """Multiply x by its hard sigmoid, which cannot overflow; x itself from 3 on.

        Up to -3 it is x times 0: a zero with the sign of x, and of minus infinity NaN.
        """
        return x * (np.clip(x + 3.0, 0.0, 6.0) / 6.0)

    def codes(self, x: Array, kind: TensorType, result: TensorType) -> Array:
        """In int16, of 128 times as fine a scale: x times a gate, that is x from -3 to 3 as 0 to 1.

        Source: TensorFlow Lite, `activations.cc`, HardSwishPrepare; `reference/hard_swish.h`.
        """
        fine = float_ratio(scale_of(kind), 1.0 / 128.0, over=1.0)
        output = bounded_multiplier(float_ratio(fine, over=scale_of(result)), 1)
        gate = bounded_multiplier(float_ratio(fine, over=_GATE_SCALE), 1)
        if output.left or gate.left > _MOST_LEFT:
            raise GraphError(
                "hard_swish of codes with such scales is not defined",
                expected="at most 128 times the result's scale",
                found=f"{kind} to {result}",
            )
        hires = (x - kind.zero) * 128
        value = _high_product_16(hires, output)
        opened = _saturated_16(hires << max(gate.left - 1, 0))
        opened = _saturated_16(_high_product_16(opened, gate) << min(gate.left, 1))
        opened = (_shifted_16(opened, gate.right) + 2**15) >> 1
        doubled = np.trunc(opened * value / 2**15).astype(np.int64)
        wrapped = _shifted_16(doubled, output.right) + result.zero
        return (wrapped + 2**15) % 2**16 - 2**15

    def spread(self, operands: Sequence[Spread]) -> Spread:
        """Mean square of a centred normal value: within 2 % of the integral.

        From 4 on, 97 % of it and more are above zero.
        """
        square = operands[0].square
        return Spread(square * (0.5 - 0.25 / (1.0 + 0.4846 * square * sqrt(square))), 1.0)


def _saturated_16(x: Array) -> Array:
    saturated: Array = np.clip(x, -(2**15), 2**15 - 1)
    return saturated


def _high_product_16(x: Array, by: Multiplier) -> Array:
    """The upper half of a doubled product with the upper half of a mantissa."""
    mantissa = min((by.mantissa + 2**15) >> 16, 2**15 - 1)
    return high_product(x, mantissa, bits=15)


def _shifted_16(x: Array, right: int) -> Array:
    """Rounded shift of int16, whose mask of bits is all ones from 16 on: 1, or -1 below zero."""
    return halved(x, right) if right < 16 else np.where(x >= 0, 1, -1)


def hard_swish(
    x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """Hard swish (Howard et al. 2019, MobileNetV3); of codes with this scale, or with that of x."""
    with located():
        op = HardSwish(**own_codes(scale, zero))
    return apply(op, x, name=name)
