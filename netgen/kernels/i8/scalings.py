"""Scalings: the whole numbers that an operator makes of sums of products, for some channels.

Each is monotone: a larger sum never gives a smaller number. So the least sums of all numbers say
everything about it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.ops.fixed_point import Multiplier

# Beyond all sums.
_FAR = 1 << 33


class Scaling(ABC):
    """The numbers that sums of some channels become, before a zero point is added."""

    @property
    @abstractmethod
    def factors(self) -> Array:
        """The real number, nearly, by which the sums of each channel are multiplied."""

    @property
    @abstractmethod
    def words(self) -> Array:
        """Two int32 for each channel, [2, channels], from which the exact form computes."""

    @abstractmethod
    def least_sums(self, numbers: Array) -> Array:
        """The least sum that becomes at least each number, [channels, numbers].

        Beyond int32 where no sum is large enough, or every one is.
        """


@dataclass(frozen=True)
class FixedPoint(Scaling):
    """Multipliers in fixed point, rounded twice; the words are mantissas and shifts."""

    multipliers: Sequence[Multiplier]

    @property
    def factors(self) -> Array:
        """The numbers mantissa * 2 ** (shift - 31)."""
        mantissas, shifts = self.words.astype(np.float64)
        factors: Array = mantissas * 2.0 ** (shifts - 31.0)
        return factors

    @property
    def words(self) -> Array:
        """Mantissas and shifts; with 29 bits to the left every sum but 0 saturates."""
        pairs = [(each.mantissa, min(each.shift, 29)) for each in self.multipliers]
        return np.array(pairs, np.int32).T

    def least_sums(self, numbers: Array) -> Array:
        """The least sums, by undoing one rounding after the other."""
        mantissas, shifts = self.words.astype(np.int64)[:, :, None]
        right, left = np.maximum(-shifts, 0), np.maximum(shifts, 0)
        half = (1 << right) >> 1
        # Halves go away from zero.
        above, below = (numbers << right) - half, ((numbers - 1) << right) + half + 1
        high = np.clip(np.where(numbers > 0, above, below), -(1 << 31), 1 << 31)
        # Halves go up; then what is shifted to the left is a multiple.
        products = _ceil_divided(high * (1 << 31) - (1 << 30), np.maximum(mantissas, 1))
        sums = -((-products) >> left)
        nothing: Array = np.where(numbers > 0, _FAR, -_FAR)
        return np.where(mantissas == 0, nothing, sums)


@dataclass(frozen=True)
class Doubles(Scaling):
    """Multipliers in float64, whose products are rounded, halves away from zero.

    Source: LiteRT, `reference/integer_ops/fully_connected.h`. The words are the lower and the upper
    half of each number.
    """

    numbers: Array

    @property
    def factors(self) -> Array:
        """The numbers as they are."""
        return self.numbers

    @property
    def words(self) -> Array:
        """The halves, lower ones first."""
        return np.ascontiguousarray(self.numbers, "<f8").view("<i4").reshape(-1, 2).T

    def least_sums(self, numbers: Array) -> Array:
        """The least sums: near a quotient, which is no further off than 1."""
        factors = self.numbers[:, None]
        quotients = np.ceil((numbers - 0.5) / factors)
        sums = np.clip(quotients, -_FAR, _FAR).astype(np.int64) - 1
        for _ in range(3):
            sums += self._rounded(sums) < numbers
        return sums

    def _rounded(self, sums: Array) -> Array:
        products = sums * self.numbers[:, None]
        whole = np.trunc(np.abs(products))
        rounded: Array = np.sign(products) * (whole + (np.abs(products) - whole >= 0.5))
        return rounded


def _ceil_divided(numbers: Array, divisors: Array) -> Array:
    """Quotients rounded up."""
    quotients: Array = -((-numbers) // divisors)
    return quotients
