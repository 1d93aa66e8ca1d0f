"""Multipliers in fixed point: by hand, and beside exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from netgen.ops.fixed_point import Multiplier, multiplier_of


@pytest.mark.parametrize(
    ("number", "mantissa", "shift"),
    [
        (1.0, 1 << 30, 1),
        (0.5, 1 << 30, 0),
        (0.75, 3 << 29, 0),
        (1.0 - 2.0**-40, 1 << 30, 1),  # rounds to 2 ** 31, which is no mantissa
        (0.5 + 2.0**-32, (1 << 30) + 1, 0),  # half of the last bit goes up
        (2.0**-32, 1 << 30, -31),
        (2.0**-33, 0, 0),
        (1e30, 1694065895, 100),
    ],
)
def test_the_nearest_multiplier(number: float, mantissa: int, shift: int) -> None:
    assert multiplier_of(number) == Multiplier(mantissa, shift)


def twice_rounded(x: int, by: Multiplier) -> int:
    """The definition in fractions: to a multiple of 2 ** right halves up, then away from zero."""
    high = floor(Fraction(x * 2**by.left * by.mantissa, 1 << 31) + Fraction(1, 2))
    size = floor(Fraction(abs(high), 1 << by.right) + Fraction(1, 2))
    return size if high >= 0 else -size


def test_products_beside_fractions() -> None:
    draw = np.random.default_rng(1)
    for _ in range(300):
        by = multiplier_of(2.0 ** draw.uniform(-34, 9)).over(int(draw.integers(1, 2000)))
        largest = 2 ** (30 - by.left)
        x = np.concatenate([draw.integers(-largest, largest, 5), np.arange(-9, 10)])
        assert by.times(x).tolist() == [twice_rounded(n, by) for n in x.tolist()]


def test_halves_go_up_and_then_away_from_zero() -> None:
    x = np.array([-3, -2, -1, 1, 2, 3])
    assert Multiplier(1 << 30, 0).times(x).tolist() == [-1, -1, 0, 1, 1, 2]
    assert Multiplier(2**31 - 1, -1).times(x).tolist() == [-2, -1, -1, 1, 1, 2]


def test_division_by_a_count_truncates_the_mantissa() -> None:
    assert multiplier_of(1.0).over(3) == Multiplier((1 << 31) // 3, 0)
    assert multiplier_of(1.0).over(1) == multiplier_of(1.0)
    # No product is shifted right by more than 31, so here is no room for the count's bits.
    assert multiplier_of(2.0**-32).over(1600) == Multiplier((1 << 30) // 1600, -31)
    assert multiplier_of(2.0**-30).over(1600) == Multiplier((4 << 30) // 1600, -31)
