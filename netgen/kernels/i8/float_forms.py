"""Codes of sums in float32, where that is proved to be exact for every sum that can occur.

A sum becomes a code by float32 numbers m and c of its channel, in one of two forms:

- `affine`: `round(fma(float(sum), m, c))`, halves to even; c holds the zero point, too.
- `signed`: `trunc(fma(float(sum), m, copysign(c, sum))) + zero`.

Each step of either, and of the definition (`scalings`), is monotone, also the rounding of a sum
above 2 ** 24. So both agree for every sum from the least to the most that can occur if they agree
on either side of each of the at most 255 thresholds between codes, and at both ends. Each such side
bounds c for a given m. What is left between all bounds is the proof; m is tried from the nearest
float32 on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.i8.scalings import Scaling

# Neighbouring float32 on either side that are tried as m.
_NEIGHBOURS = 8
# Far above the error of bounds in float64, far below the distance of any two c.
_MARGIN = 2.0**-40
# With c at most as far again, what is converted to int32 stays well within it.
_LARGEST = 2.0**29


@dataclass(frozen=True)
class Sums:
    """The least and the largest sum that can occur in each channel."""

    least: Array
    most: Array


@dataclass(frozen=True)
class Codes:
    """The zero point of a result, and the codes to which it is clamped."""

    zero: int
    low: int
    high: int


@dataclass(frozen=True)
class FloatForm:
    """Numbers m and c of each channel; where the form is not proved both are 0."""

    m: Array
    c: Array
    proved: Array


@dataclass(frozen=True)
class _Bounds:
    """Bounds of c for any m, [channels, thresholds]: above - m * at < c < below - m * before."""

    at: Array
    above: Array
    before: Array
    below: Array

    def of(self, m: Array, channels: Array) -> tuple[Array, Array]:
        """The bounds of c for each of some channels, with its m."""
        factor = m.astype(np.float64)[:, None]
        low = (self.above[channels] - factor * self.at[channels]).max(axis=1, initial=-np.inf)
        high = (self.below[channels] - factor * self.before[channels]).min(axis=1, initial=np.inf)
        return low + _MARGIN, high - _MARGIN


def find_affine(scaling: Scaling, sums: Sums, codes: Codes) -> FloatForm:
    """The affine form of channels: code k is reached where the fma is beyond k - 1/2.

    At k - 1/2 itself an even k is, an odd one is not.
    """
    numbers = np.arange(codes.low + 1, codes.high + 1)
    halves = (numbers - 0.5).astype(np.float32)
    even = numbers % 2 == 0
    border = _middle(halves, np.where(even, -np.inf, np.inf))
    least = scaling.least_sums(numbers - codes.zero)
    at, before = np.maximum(least, sums.least[:, None]), np.minimum(least - 1, sums.most[:, None])
    bounds = _bounds(
        (at, at <= sums.most[:, None]), (before, before >= sums.least[:, None]), border
    )
    return _search(scaling, sums, bounds, -np.inf)


def find_signed(scaling: Scaling, sums: Sums, codes: Codes) -> FloatForm:
    """The signed form of channels: what holds for negative sums holds for their magnitudes.

    Numbers above 0 need no bound at negative sums, nor do those up to 0 at others: signs agree.
    """
    numbers = np.arange(codes.low + 1, codes.high + 1) - codes.zero
    positive = numbers > 0
    magnitudes = np.where(positive, numbers, 1 - numbers).astype(np.float32)
    border = _middle(magnitudes, np.full(magnitudes.shape, -np.inf))
    least = scaling.least_sums(numbers)
    at, before = np.maximum(least, sums.least[:, None]), np.minimum(least - 1, sums.most[:, None])
    reached = (at <= sums.most[:, None]) & (positive | (at <= 0))
    missed = (before >= sums.least[:, None]) & (~positive | (before >= 0))
    bounds = _bounds(
        (np.where(positive, at, -before), np.where(positive, reached, missed)),
        (np.where(positive, before, -at), np.where(positive, missed, reached)),
        border,
    )
    return _search(scaling, sums, bounds, 0.0)


def _bounds(at: tuple[Array, Array], before: tuple[Array, Array], border: Array) -> _Bounds:
    """Bounds at sums as floats, those that are meant, and the borders of what is rounded there."""
    return _Bounds(
        _as_floats(*at),
        np.where(at[1], border, -np.inf),
        _as_floats(*before),
        np.where(before[1], border, np.inf),
    )


def _as_floats(sums: Array, meant: Array) -> Array:
    """Sums, rounded as the processor does, in float64."""
    return np.where(meant, sums, 0).astype(np.float32).astype(np.float64)


def _middle(numbers: Array, towards: Array) -> Array:
    """The middle between float32 numbers and their neighbours: what is rounded ends there."""
    near = np.nextafter(numbers, towards.astype(np.float32))
    middle: Array = (numbers.astype(np.float64) + near) / 2.0
    return middle


def _search(scaling: Scaling, sums: Sums, bounds: _Bounds, least_c: float) -> FloatForm:
    """The first m for which bounds leave room, and the c in the middle of it."""
    count = len(sums.least)
    found = FloatForm(
        np.zeros(count, np.float32), np.zeros(count, np.float32), np.zeros(count, bool)
    )
    nearest = scaling.factors.astype(np.float32)
    farthest = np.maximum(np.abs(sums.least), np.abs(sums.most)).astype(np.float64)
    left = np.flatnonzero(farthest * scaling.factors < _LARGEST)
    for step in sorted(range(-_NEIGHBOURS, _NEIGHBOURS + 1), key=abs):
        m = _stepped(nearest[left], step)
        low, high = bounds.of(m, left)
        low = np.maximum(low, least_c)
        # Where there is no bound on a side, near to the other one, or to 0.
        low = np.where(np.isneginf(low), np.minimum(high, 1.0) - 1.0, low)
        c = ((low + np.minimum(high, low + 1.0)) / 2.0).astype(np.float32)
        right = (low < c) & (c < high)
        at = left[right]
        found.m[at], found.c[at], found.proved[at] = m[right], c[right], True
        left = left[~right]
    return found


def _stepped(numbers: Array, step: int) -> Array:
    """The float32 numbers so many places further; none is below 0."""
    bits = numbers.view(np.int32) + step
    stepped: Array = np.maximum(bits, 0).view(np.float32)
    return stepped
