"""Logarithms of sums of powers, in integers: those of a softmax of codes.

Sources: TensorFlow Lite, `common.h`, log_x_for_x_greater_than_or_equal_to_1_impl;
`reference/log_softmax.h`, LogSoftmaxQuantized; `quantization_util.cc`,
PreprocessLogSoftmaxScalingExp.
"""

from __future__ import annotations

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.ops.fixed_point import Multiplier, halved, high_product, multiplier_of
from netgen.ops.softmax_of_codes import Exponents, reciprocal_of

_MOST = 2**31 - 1
# Integer bits of sums and of logarithms.
_SUM_BITS, _LOG_BITS = 12, 5
# In Q0.31: the logarithm of 2, roots of 1/2 of the order 2 and 4, and the rational function that
# is the logarithm around 1: 11/240, 1/20 and 1/4 of r, and 2 / r - r, of the fourth root r of 2.
_LOG_2, _ROOT, _FOURTH_ROOT = 1488522236, 1518500250, 1805811301
_ALPHA_N, _ALPHA_D, _ALPHA_F, _ALPHA_I = 117049297, 127690142, 638450708, 1057819769
# Logarithms of base 2 are in Q6.25.
_WHOLE, _QUARTER = 1 << 25, 1 << 23


def logarithms(sums: Array) -> Array:
    """The natural logarithms, in Q5.26, of sums of 1 and more in Q12.19."""
    high = _headroom(sums)
    first = _shifted(high_product(_shifted(sums, high), _ROOT), 1)
    root = high_product(sums, _ROOT)
    near = _headroom(root)
    # The number that is left, and the exponent of 2 that is taken from it.
    r = np.minimum(first, _shifted(sums, near))
    exponent = np.maximum(
        (_SUM_BITS - high - 1) * _WHOLE + _QUARTER, (_SUM_BITS - near) * _WHOLE - _QUARTER
    )
    p = (r + _FOURTH_ROOT + 1) // 2
    q = 2 * (r - _FOURTH_ROOT)
    square = high_product(q, q)
    above = high_product(q, r) + high_product(high_product(q, square), _ALPHA_N)
    below = high_product(p, _ALPHA_I + q + high_product(square, _ALPHA_D))
    quotient = high_product(halved(above, 6), reciprocal_of(below + high_product(q, _ALPHA_F)))
    return _shifted(high_product(exponent, _LOG_2) + quotient, 1)


def _headroom(x: Array) -> Array:
    """Bits by which a positive number of 31 bits can be shifted."""
    found: Array = 31 - np.frexp(x.astype(np.float64))[1].astype(np.int64)
    return found


def _shifted(x: Array, left: Array | int) -> Array:
    """Integers shifted to the left; they saturate."""
    found: Array = np.clip(np.left_shift(x, left), -_MOST - 1, _MOST)
    return found


def codes_of(by: Exponents) -> Multiplier:
    """The multiplier of numbers in Q5.26 that gives differences of codes back, at most 1."""
    return multiplier_of(2.0 ** (31 - by.factor.left) / by.factor.mantissa)
