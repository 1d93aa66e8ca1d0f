"""Softmax of codes in integers: powers of e in Q0.31, their sum in Q12.19, one reciprocal.

Sources: TensorFlow Lite, `reference/softmax.h`; `quantization_util.cc`, PreprocessSoftmaxScaling
and CalculateInputRadius; `common.h`, GetReciprocal; gemmlowp, `fixedpoint.h`,
exp_on_negative_values and one_over_one_plus_x_for_x_in_0_1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netgen.errors import GraphError
from netgen.ir.tensor_type import Array
from netgen.ops.fixed_point import Multiplier, halved, high_product, multiplier_of

# Integer bits of exponents, which are Q5.26, and of sums.
_EXPONENT_BITS = 5
_SUM_BITS = 12
_ONE = 2**31 - 1
# Powers below this are nothing in a sum, nor as 256ths of one.
LEAST = 2 ** (_SUM_BITS - 1)


@dataclass(frozen=True)
class Exponents:
    """Multiplier of differences of codes, for Q5.26; the largest difference that it takes."""

    factor: Multiplier
    furthest: int


def exponents_of_codes(beta: float, scale: float) -> Exponents:
    """The exponents of differences of codes: beta times the scale times each.

    Raises GraphError where the exponents of all differences vanish.
    """
    number = min(beta * scale * 2.0 ** (31 - _EXPONENT_BITS), 2.0**31 - 1.0)
    factor = multiplier_of(number)
    if number <= 1.0:
        raise GraphError(
            "the scale of these codes is too small for a softmax",
            expected="beta times the scale above 2^-26",
            found=f"{beta:g} times {scale:g}",
        )
    furthest = (2**_EXPONENT_BITS - 1) * 2.0 ** (31 - _EXPONENT_BITS - factor.left)
    return Exponents(factor, math.floor(furthest))


def powers_of_codes(beta: float, scale: float) -> Array:
    """E to beta times the scale times -d, in Q0.31, for differences d of codes from 0 to 255.

    Raises GraphError where the exponents of all differences vanish.
    """
    by, d = exponents_of_codes(beta, scale), np.arange(256)
    powers = _power(by.factor.times(-d.clip(max=by.furthest)))
    return np.where(d <= by.furthest, powers, 0)


def _constant(number: float) -> int:
    """A number in Q0.31."""
    return math.floor(number * 2.0**31 + 0.5)


def _power(a: Array) -> Array:
    """E to the a, for a of at most 0 in Q5.26: in quarters, which are multiplied in turn."""
    quarter = 1 << 24
    within = (a & (quarter - 1)) - quarter
    rest = within - a
    result = _power_within_a_quarter(within << _EXPONENT_BITS)
    for exponent in range(-2, _EXPONENT_BITS):
        factor = _constant(math.exp(-(2.0**exponent)))
        chosen = (rest & (1 << (26 + exponent))) != 0
        result = np.where(chosen, high_product(result, factor), result)
    return np.where(a == 0, _ONE, result)


def _power_within_a_quarter(a: Array) -> Array:
    """E to the a, for a from -1/4 to 0: four terms of the series around -1/8."""
    x = a + (1 << 28)
    square = high_product(x, x)
    cube, fourth = high_product(square, x), high_product(square, square)
    series = halved(fourth, 2) + cube
    series = halved(high_product(series, _constant(1.0 / 3.0)) + square, 1)
    middle = _constant(math.exp(-0.125))
    return middle + high_product(x + series, middle)


def shares(powers: Array) -> Array:
    """Powers over their sum along the last axis, in 256ths, at most 255."""
    total = halved(powers, _SUM_BITS).sum(axis=-1, keepdims=True)
    bits = np.frexp(total.astype(np.float64))[1].astype(np.int64)
    reciprocal = reciprocal_of((total << (32 - bits)) - (1 << 31))
    # The sum has so many bits more than one in Q12.19.
    over = _SUM_BITS - (32 - bits)
    product = high_product(reciprocal, powers)
    rounded = np.sign(product) * ((np.abs(product) + (1 << (over + 22))) >> (over + 23))
    most: Array = np.minimum(rounded, 255)
    return most


def reciprocal_of(x: Array) -> Array:
    """1 / (1 + x) for x from 0 to 1, in Q0.31: three steps of Newton's, in Q2.29."""
    half = (x + _ONE + 1) // 2
    y = _quarter(48.0 / 17.0) + high_product(half, _quarter(-32.0 / 17.0))
    for _ in range(3):
        error = (1 << 29) - high_product(half, y)
        y = y + (high_product(y, error) << 2)
    doubled: Array = np.minimum(y << 1, _ONE)
    return doubled


def _quarter(number: float) -> int:
    """A number in Q2.29."""
    return math.floor(number * 2.0**29 + 0.5)
