"""Numbers of outputs that loops over outputs read: all of a kind in a row.

| words | what |
|---|---|
| 1 | 1 if sums are rescaled by two unsigned products, else 0 |
| one per output | bias |
| one per output | multiplier |
| one per output | divisor, 2^(31 + shift); or the shift, if the first word is 0 |

`templates/functions/rescaled_sums.c.j2` computes with them. The first word is data, so retrained
weights fit old code.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netgen.kernels.i8.sums import NUMBERS, Words, bias_of, checked_sums, rescaling_words
from netgen.kernels.layer import Layer, Packed
from netgen.kernels.layout import Places

# Sums below this, of any shift to the right by less than 31, are rescaled by unsigned products.
_MOST = 2**29


def count_of_numbers(outputs: int) -> int:
    """The words before the weights."""
    return 1 + NUMBERS * outputs


def pack_numbers(layer: Layer, constants: Mapping[str, Packed], order: Places) -> Words:
    """The words of the outputs in this order. Raises WeightsError where sums do not fit int32."""
    largest = max(int(np.abs(ends).max()) for ends in checked_sums(layer, constants))
    multipliers, shifts = rescaling_words(layer, constants)[order].T
    products = largest < _MOST and bool(((shifts <= 0) & (shifts > -31)).all())
    last = shifts
    if products:
        # 2^31 does not fit int32: C takes the bits as a number without a sign.
        last = (1 << (31 + shifts.astype(np.int64))).astype(np.uint32).view(np.int32)
    first, bias = np.array([products], np.int32), bias_of(constants)[order].astype(np.int32)
    return np.concatenate([first, bias, multipliers, last])
