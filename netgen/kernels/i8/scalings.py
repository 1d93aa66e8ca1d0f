"""Scalings: the whole numbers that an operator makes of sums of products, for some channels.

Each is monotone: a larger sum never gives a smaller number. So the least sums of all numbers say
everything about it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.ops.fixed_point import Multipliers

# Beyond all sums.
_FAR = 1 << 33


class Scaling(ABC):
    """The numbers that sums of some channels become, before a zero point is added."""

    @property
    @abstractmethod
    def factors(self) -> Array:
        """The real number, nearly, by which the sums of each channel are multiplied."""

    @abstractmethod
    def least_sums(self, numbers: Array) -> Array:
        """The least sum that becomes at least each number, [channels, numbers].

        Beyond int32 where no sum is large enough, or every one is.
        """


@dataclass(frozen=True)
class FixedPoint(Scaling):
    """Multipliers in fixed point, rounded twice."""

    multipliers: Multipliers

    @property
    def factors(self) -> Array:
        """The numbers mantissa * 2 ** (shift - 31)."""
        shifts = self.multipliers.shift - 31.0
        factors: Array = self.multipliers.mantissa * 2.0**shifts
        return factors

    def least_sums(self, numbers: Array) -> Array:
        """The least sums, by undoing one rounding after the other."""
        mantissas, shifts = self.multipliers.mantissa[:, None], self.multipliers.shift[:, None]
        right, left = np.maximum(-shifts, 0), np.clip(shifts, 0, 31)
        half = (1 << right) >> 1
        # Halves go away from zero.
        above, below = (numbers << right) - half, ((numbers - 1) << right) + half + 1
        high = np.clip(np.where(numbers > 0, above, below), -(1 << 31), 1 << 31)
        # Halves go up; then what is shifted to the left is a multiple.
        products = -(((1 << 30) - high * (1 << 31)) // np.maximum(mantissas, 1))
        sums = -((-products) >> left)
        nothing: Array = np.where(numbers > 0, _FAR, -_FAR)
        return np.where(mantissas == 0, nothing, sums)


@dataclass(frozen=True)
class Doubles(Scaling):
    """Multipliers in float64, whose products are rounded, halves away from zero."""

    numbers: Array

    @property
    def factors(self) -> Array:
        """The numbers as they are."""
        return self.numbers

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


@dataclass(frozen=True)
class Evens(Scaling):
    """Multipliers in float32 for sums rounded to float32, whose products' halves go to even."""

    numbers: Array

    @property
    def factors(self) -> Array:
        """The numbers as they are, in float64."""
        return self.numbers.astype(np.float64)

    def least_sums(self, numbers: Array) -> Array:
        """The least sums, by halving: sums and products are rounded, so quotients are but near."""
        below = np.full((len(self.numbers), len(numbers)), -_FAR)
        reached = np.full(below.shape, _FAR)
        while (reached - below > 1).any():
            middle = (below + reached) // 2
            over = self._rounded(middle) >= numbers
            reached, below = np.where(over, middle, reached), np.where(over, below, middle)
        return reached

    def _rounded(self, sums: Array) -> Array:
        products = sums.astype(np.float32) * self.numbers.astype(np.float32)[:, None]
        rounded: Array = np.rint(products)
        return rounded
