"""Orders of inputs: permutations of blocks of 16 whose neighbours fit, as far as inputs let them.

Sums are those of the codes that drive a lane the furthest; how many pairs can fit is searched.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from netgen.kernels.i8.product_pairing import paired_order

_Int = npt.NDArray[np.int64]


def drawn(seed: int, spread: float, inputs: int, lanes: int = 16) -> _Int:
    """Weights of a panel, some inputs of which are zeros."""
    draw = np.random.default_rng(seed)
    weights = np.clip(np.rint(draw.normal(0, spread, (lanes, inputs))), -128, 127)
    weights[:, draw.random(inputs) < 0.1] = 0
    return weights.astype(np.int64)


def arranged(weights: _Int) -> _Int:
    order = paired_order(weights, 128).astype(np.int64)
    for first in range(0, weights.shape[1], 16):
        block = order[first : first + 16]
        assert sorted(block) == [*range(min(16, weights.shape[1] - first))]
    return weights[:, np.arange(len(order)) // 16 * 16 + order]


def fits(a: _Int, b: _Int) -> bool:
    """Whether products of two inputs by codes from 0 to 255 fit int16 in all lanes."""
    pair = np.stack([a, b])
    ends = [(np.where(sign * pair > 0, 255, 0) * pair).sum(axis=0) for sign in (1, -1)]
    return bool(np.abs(ends).max() < 2**15)


def fitting(weights: _Int) -> list[bool]:
    """Whether neighbours fit, pair after pair."""
    return [fits(weights[:, n], weights[:, n + 1]) for n in range(0, weights.shape[1], 2)]


def most_pairs(weights: _Int) -> int:
    """The largest number of pairs of a block that fit, by trying all."""
    count = weights.shape[1]
    rows = [[fits(weights[:, a], weights[:, b]) for b in range(count)] for a in range(count)]

    @cache
    def most(free: int) -> int:
        if not free:
            return 0
        own = free.bit_length() - 1
        rest = free & ~(1 << own)
        partners = [n for n in range(own) if rest >> n & 1 and rows[own][n]]
        return max([most(rest), *(1 + most(rest & ~(1 << n)) for n in partners)])

    return most((1 << count) - 1)


@pytest.mark.parametrize("inputs", [8, 16, 24, 40, 64])
def test_inputs_stay_in_their_blocks_and_pairs_that_fit_come_first(inputs: int) -> None:
    found = arranged(drawn(inputs, 36.0, inputs))
    for first in range(0, inputs, 16):
        block = found[:, first : first + 16]
        live = block[:, block.any(axis=0)]
        pairs = fitting(live[:, : live.shape[1] // 2 * 2])
        assert pairs == sorted(pairs, reverse=True)


@pytest.mark.parametrize("seed", range(12))
def test_nearly_as_many_pairs_fit_as_can(seed: int) -> None:
    weights = drawn(seed, 36.0 + 4 * (seed % 6), 16)
    found, most = sum(fitting(arranged(weights))), most_pairs(weights)
    assert most - 1 <= found <= most


def test_more_pairs_fit_than_as_they_stand() -> None:
    weights = drawn(7, 52.0, 256)
    assert sum(fitting(arranged(weights))) > 1.5 * sum(fitting(weights))


def test_inputs_without_weights_come_last() -> None:
    weights = drawn(3, 20.0, 16)
    weights[:, [0, 5, 6, 9]] = 0
    found = arranged(weights)
    live = [bool(found[:, n].any()) for n in range(16)]
    assert live == sorted(live, reverse=True)
