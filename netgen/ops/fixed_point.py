"""Products of integers with real numbers, in integers: TensorFlow Lite's fixed point.

Sources: TensorFlow Lite, `quantization_util.cc`, QuantizeMultiplier, and `common.h`,
MultiplyByQuantizedMultiplier; gemmlowp, `fixedpoint.h`, SaturatingRoundingDoublingHighMul and
RoundingDivideByPOT.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netgen.errors import GraphError
from netgen.ir.tensor_type import Array

# Numbers that would be shifted right any further are 0.
_MOST_RIGHT = 31
# How large the integers that C multiplies may be.
_LARGEST = 2**30


@dataclass(frozen=True)
class Multiplier:
    """The real number mantissa * 2 ** (shift - 31); the mantissa is below 2 ** 31."""

    mantissa: int
    shift: int

    @property
    def left(self) -> int:
        """Bits by which a number is shifted before it is multiplied."""
        return max(self.shift, 0)

    @property
    def right(self) -> int:
        """Bits by which the product's upper half is shifted, rounded."""
        return max(-self.shift, 0)

    def times(self, x: Array) -> Array:
        """Products with integers of int64, rounded twice: halves up, then halves away from zero."""
        return halved(high_product(x << self.left, self.mantissa), self.right)

    def over(self, count: int) -> Multiplier:
        """The number divided by a count: the mantissa is truncated, at as many bits as fit.

        Source: TensorFlow Lite, `reference/reduce.h`, QuantizedMeanOrSum.
        """
        shift = min(count.bit_length() - 1, 32, _MOST_RIGHT + self.shift)
        return Multiplier((self.mantissa << shift) // count, self.shift - shift)


@dataclass(frozen=True)
class Multipliers:
    """Several of them, along the last axis of what is multiplied, as arrays of int64."""

    mantissa: Array
    shift: Array

    def times(self, x: Array) -> Array:
        """Products with integers of int64, rounded twice."""
        left, right = np.maximum(self.shift, 0), np.maximum(-self.shift, 0)
        return halved(high_product(x << left, self.mantissa), right)

    def times_wide(self, x: Array) -> Array:
        """Products with wider integers, by mantissas of 15 bits, rounded once: halves up.

        Source: TensorFlow Lite, `common.cc`, MultiplyByQuantizedMultiplier of int64.
        """
        mantissa = np.minimum((self.mantissa + (1 << 15)) >> 16, 2**15 - 1)
        right = 15 - self.shift
        product: Array = (x * mantissa + (np.int64(1) << (right - 1))) >> right
        return product


def multipliers_of(numbers: Array) -> Multipliers:
    """The multipliers nearest to positive numbers."""
    each = [multiplier_of(float(number)) for number in numbers.reshape(-1)]
    return Multipliers(
        np.array([one.mantissa for one in each], np.int64),
        np.array([one.shift for one in each], np.int64),
    )


def multiplier_of(number: float) -> Multiplier:
    """The multiplier nearest to a positive number; of one below 2 ** -32 it is 0."""
    fraction, shift = math.frexp(number)
    mantissa = math.floor(fraction * 2.0**31 + 0.5)
    if mantissa == 1 << 31:
        mantissa, shift = mantissa >> 1, shift + 1
    return Multiplier(0, 0) if shift < -_MOST_RIGHT else Multiplier(mantissa, shift)


def bounded_multiplier(number: float, most: int) -> Multiplier:
    """The multiplier for integers of at most this size; raises GraphError where int32 overflows."""
    if not math.isfinite(number) or most << (found := multiplier_of(number)).left > _LARGEST:
        raise GraphError(
            "these scales are too far apart for int32",
            expected="a larger scale of the result",
            found=f"a factor of {number:g}",
        )
    return found


def float_ratio(*factors: float, over: float) -> float:
    """The product of scales over another one, in float32, rounded at each step."""
    with np.errstate(over="ignore", under="ignore"):
        product = np.float32(factors[0])
        for factor in factors[1:]:
            product = np.float32(product * np.float32(factor))
        return float(np.float32(product / np.float32(over)))


def halved(x: Array, times: Array | int) -> Array:
    """Integers over 2 ** times, halves away from zero."""
    magnitude: Array = np.abs(x)
    rounded: Array = np.sign(x) * ((magnitude + (np.left_shift(1, times) >> 1)) >> times)
    return rounded


def high_product(a: Array, b: Array | int, bits: int = 31) -> Array:
    """The upper half of a doubled product of integers of `bits` and a sign, halves up.

    It saturates where both are the least. Source: gemmlowp, SaturatingRoundingDoublingHighMul.
    """
    high: Array = np.right_shift(a * b + (1 << (bits - 1)), bits)
    product: Array = np.minimum(high, (1 << bits) - 1)
    return product
