"""Inverse square roots of integers, in integers: Newton's steps in TensorFlow Lite's fixed point.

Source: TensorFlow Lite, `common.h`, GetInvSqrtQuantizedMultiplierExp.
"""

from __future__ import annotations

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.ops.fixed_point import Multipliers, halved, high_product

_MOST = 2**31 - 1
_STEPS = 5
# Half of the root of 2 in Q0.31; 1 and 3/2 in Q3.28.
_HALF_ROOT, _ONE, _THREE_HALVES = 1518500250, 1 << 28, 3 << 27


def inverse_roots(x: Array) -> Multipliers:
    """Multipliers that are nearly 1 / sqrt(x), of integers from 0 to 2^31 - 1; of 0 as of 1."""
    # Fours that bring x to 2^27 at least, and below 2^29; those that are divided out truncate.
    bits = np.frexp(x.clip(min=2).astype(np.float64))[1].astype(np.int64)
    fours = (29 - bits) // 2
    within = (x << 2 * fours.clip(min=0)) >> 2 * (-fours).clip(min=0)
    half = halved(within >> 1, 1)
    root = np.full(x.shape, _ONE, np.int64)
    for _ in range(_STEPS):
        cube = np.minimum(high_product(high_product(root, root), root) << 6, _MOST)
        error = high_product(root, _THREE_HALVES) - high_product(half, cube)
        root = np.minimum(error << 3, _MOST)
    mantissa, right = high_product(root, _HALF_ROOT), 11 - fours
    mantissa, right = mantissa << (-right).clip(min=0), right.clip(min=0)
    alone = x <= 1
    return Multipliers(np.where(alone, _MOST, mantissa), np.where(alone, 0, -right))
