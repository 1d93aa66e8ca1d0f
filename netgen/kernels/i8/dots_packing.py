"""Packed constants of sums that become codes in vectors of four.

For each panel of four outputs, or channels, there are words of int32: the way, four biases, four
multipliers and four shifts; of doubles the lower halves and the upper ones. Zero points are part of
the biases. The way is VECTORS where vectors rescale the sums of all four exactly: where nothing is
shifted to the left. Others are rescaled by definition, from the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.i8.pairs_packing import PANEL
from netgen.kernels.i8.sums import Words, bias_of, checked_sums, rescaling_words
from netgen.kernels.layer import Layer, Packed

# Words of a panel.
NUMBERS = 1 + 3 * PANEL
# The way of panels whose sums vectors rescale; others have 1.
VECTORS = 0


def pack_panels(layer: Layer, rows: Array, lanes: Array, constants: Mapping[str, Packed]) -> Words:
    """The words of all panels; `rows` are the outputs in `lanes`, four to a panel.

    Raises WeightsError where sums do not fit int32.
    """
    checked_sums(layer, constants)
    count = -(-(int(lanes[-1]) + 1) // PANEL)
    w = constants["w"][rows].astype(np.int64).reshape(len(rows), -1) - layer.operands["w"].zero
    numbers = np.zeros((3, count * PANEL), np.int64)
    numbers[0, lanes] = bias_of(constants)[rows].astype(np.int64)
    numbers[0, lanes] -= signed_zero(layer) * w.sum(axis=1)
    numbers[1:, lanes] = rescaling_words(layer, constants)[rows].T
    left = (numbers[2] > 0).reshape(-1, PANEL).any(axis=1)
    way = np.where(left, 1 - VECTORS, VECTORS)[:, None]
    panels = numbers.reshape(3, count, PANEL).transpose(1, 0, 2).reshape(count, -1)
    # Code 0 is one of those with a sign: a bias with the zero point is the sum of x whose codes are
    # all 0, which `checked_sums` has bounded.
    assert int(np.abs(panels).max()) <= 2**31, "numbers of a panel do not fit int32"
    return np.concatenate([way, panels], axis=1).ravel().astype(np.int32)


def signed_zero(layer: Layer) -> int:
    """The zero point of x, whose codes are multiplied with a sign."""
    x = layer.operands["x"]
    return x.zero - x.element.low - 128
