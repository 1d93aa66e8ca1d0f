"""The order in which a panel of outputs takes its groups of four inputs.

Some targets multiply bytes and add up pairs of products in int16, which saturates. A code counts
from 0 to 255, so a sum of products is within int16, whatever the codes are, if the weights above
zero add up to 128 at most, and so do those below. So each panel has an order:

1. groups in twos, whose products are added up in one int16: the weights of both fit;
2. groups whose pairs of weights fit, by themselves;
3. the pairs of all other groups, which are multiplied as int16: the first and the third input, and
   the second and the fourth, since a mask makes int16 of every second byte.

Groups and pairs without weights are in none of them. The order is data. So retrained weights fit
old code, and every order gives the same sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgen.ir.tensor_type import Array
from netgen.kernels.i8.product_shape import Shape

# 255 times this fits int16.
MOST = 128
# Words before the places: where each of the three kinds ends.
ENDS = 3
_Sums = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Groups:
    """Groups by number, the first `doubled` of them in twos, and the pairs of the others."""

    order: tuple[int, ...]
    doubled: int
    pairs: tuple[int, ...]

    @property
    def ends(self) -> tuple[int, int, int]:
        """The ends of the three kinds."""
        return self.doubled, len(self.order), len(self.order) + len(self.pairs)


def order_groups(weights: Array, *, saturates: bool) -> Groups:
    """The groups of a panel's weights [lanes, groups, 4], which are less their zero point."""
    lanes, count, _ = weights.shape
    used = [*np.flatnonzero(weights.any(axis=(0, 2))).tolist()]
    if not saturates:
        return Groups(tuple(used), 0, ())
    own = weights.astype(np.int16).reshape(lanes, count, 2, 2)
    both = np.stack([np.maximum(own, 0).sum(axis=-1), -np.minimum(own, 0).sum(axis=-1)])
    sums: _Sums = both.transpose(2, 0, 1, 3).reshape(count, -1).astype(np.int16)
    most = sums.max(axis=1)
    fitting = [g for g in used if most[g] <= MOST]
    doubled = _in_twos(sums, sorted(fitting, key=lambda g: (-most[g], g)))
    single = sorted({*fitting} - {*doubled})
    wide = [2 * g + half for g in used if most[g] > MOST for half in range(2)]
    pairs = tuple(n for n in wide if weights[:, n // 2, n % 2 :: 2].any())
    return Groups((*doubled, *single), len(doubled), pairs)


def _in_twos(sums: _Sums, falling: list[int]) -> list[int]:
    """Groups that fit together, side by side: each with the largest that is left and fits."""
    left = np.array(falling, np.int64)
    found: list[int] = []
    while len(left) > 1:
        own, left = left[0], left[1:]
        (fits,) = np.nonzero((sums[left] + sums[own]).max(axis=1) <= MOST)
        if len(fits):
            found += [int(own), int(left[fits[0]])]
            left = np.delete(left, fits[0])
    return found


def group_places(shape: Shape) -> Array:
    """The places where the inputs of each group begin, from the first one of a window on."""
    rows = np.arange(shape.window.size[0]) * shape.window.dilation[0] * shape.row_step
    taps = np.arange(shape.taps) * shape.window.dilation[1] * shape.inputs
    within = np.arange(0, shape.run, shape.group)
    places = rows[:, None, None] + taps[:, None] + within
    return np.tile(places.ravel(), shape.passes)
