"""The order in which a panel of outputs takes the inputs of a pixel, so that neighbours fit.

Products of two neighbouring inputs are added up as int16, which is exact if their weights fit
(`product_groups`). Large weights are rare. So an input with a large one becomes the neighbour of an
input whose weights are small in the same lanes. Inputs change their places within blocks of 16,
which one instruction permutes while a pixel is copied; what is left of them is a block of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from netgen.ir.tensor_type import Array

# Inputs that one instruction permutes.
BLOCK = 16
# Places in a block of two inputs, and for each two whether they fit.
_Pair = tuple[int, int]
_Fits = Sequence[Sequence[bool]]


def paired_order(weights: Array, most: int) -> npt.NDArray[np.uint8]:
    """The place within its block of the input that comes at each place.

    weights: [lanes, inputs], those of a panel. Pairs of neighbours come first whose weights above
    zero add up to `most` in no lane, nor those below, the largest before; then the others, and at
    last inputs without weights.
    """
    lanes, inputs = weights.shape
    blocks = -(-inputs // BLOCK)
    own = np.zeros((lanes, blocks * BLOCK), np.int16)
    own[:, :inputs] = weights
    halves = np.concatenate([np.maximum(own, 0), np.maximum(-own, 0)]).reshape(-1, blocks, BLOCK)
    sizes = halves.max(axis=0)
    sums = (halves[:, :, :, None] + halves[:, :, None, :]).max(axis=0)
    orders = []
    for n in range(blocks):
        count = min(inputs - n * BLOCK, BLOCK)
        orders.append(_block_order(sums[n, :count, :count], sizes[n, :count], most))
    return np.concatenate(orders).astype(np.uint8)


def _block_order(sums: Array, sizes: Array, most: int) -> list[int]:
    """The order of a block, from the largest sum of each two inputs, and that of each one."""
    falling = np.argsort(-sizes, kind="stable").tolist()
    pairs, left = _matched((sums <= most).tolist(), falling)
    used = sorted((pair for pair in pairs if sums[pair]), key=lambda pair: -int(sums[pair]))
    empty = [pair for pair in pairs if not sums[pair]]
    return [*_places(used), *left, *_places(empty)]


def _places(pairs: Sequence[_Pair]) -> list[int]:
    return [place for pair in pairs for place in pair]


def _matched(fits: _Fits, falling: Sequence[int]) -> tuple[list[_Pair], list[int]]:
    """Pairs that fit, and what is left: each input takes the largest one that fits and is free.

    Two that are left then take the partners of a pair.
    """
    free, pairs, left = [*falling], [], []
    while free:
        own = free.pop(0)
        partner = next((other for other in free if fits[own][other]), None)
        if partner is None:
            left.append(own)
            continue
        free.remove(partner)
        pairs.append((own, partner))
    while (found := _exchange(fits, pairs, left)) is not None:
        at, first, second = found
        pairs[at : at + 1] = [first, second]
        left = [place for place in left if place not in (first[0], second[0])]
    return pairs, left


def _exchange(
    fits: _Fits, pairs: Sequence[_Pair], left: Sequence[int]
) -> tuple[int, _Pair, _Pair] | None:
    """A pair by number, and the two pairs that its inputs make with two that are left."""
    for first, second in combinations(left, 2):
        for at, pair in enumerate(pairs):
            for a, b in (pair, pair[::-1]):
                if fits[first][a] and fits[second][b]:
                    return at, (first, a), (second, b)
    return None
