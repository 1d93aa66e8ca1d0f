"""The order of groups: all weights are in it once, and nothing that is added as int16 saturates.

Sums are those of the codes that drive each the furthest, 0 and 255, which is not how groups are
told apart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from netgen.kernels.i8.product_groups import Groups, order_groups

_Int = npt.NDArray[np.int64]


def panel(seed: int, spread: float, lanes: int = 16, count: int = 23) -> _Int:
    """Weights of a panel, some groups and pairs of which are zeros."""
    draw = np.random.default_rng(seed)
    weights = np.clip(np.rint(draw.normal(0, spread, (lanes, count, 4))), -128, 127)
    weights[:, draw.random(count) < 0.1] = 0
    weights[:, draw.random(count) < 0.1, 2:] = 0
    return weights.astype(np.int64)


def furthest(*groups: _Int) -> int:
    """The largest distance from 0 of sums of products of neighbours [lanes, 4], over all codes."""
    pairs = np.concatenate([group.reshape(len(group), 2, 2) for group in groups], axis=-1)
    ends = [(np.where(sign * pairs > 0, 255, 0) * pairs).sum(axis=-1) for sign in (1, -1)]
    # No such sum is -32768, which int16 has room for.
    return int(np.abs(ends).max())


def singles(groups: Groups) -> tuple[int, ...]:
    return groups.order[groups.doubled :]


@pytest.mark.parametrize("spread", [4.0, 25.0, 45.0, 90.0])
def test_all_weights_are_in_it_once(spread: float) -> None:
    weights = panel(1, spread)
    groups = order_groups(weights, saturates=True)
    found = np.zeros_like(weights)
    for group in groups.order:
        found[:, group] += weights[:, group]
    for pair in groups.pairs:
        group, first = pair // 2, pair % 2
        assert weights[:, group, first::2].any()
        found[:, group, first::2] += weights[:, group, first::2]
    np.testing.assert_array_equal(found, weights)
    assert all(weights[:, group].any() for group in groups.order)
    assert groups.ends[2] == len(groups.order) + len(groups.pairs)


@pytest.mark.parametrize("seed", range(8))
def test_no_sum_of_int16_saturates_and_pairs_are_those_that_would(seed: int) -> None:
    weights = panel(seed, 12.0 * (1 + seed % 4))
    groups = order_groups(weights, saturates=True)
    assert groups.doubled % 2 == 0
    for n in range(0, groups.doubled, 2):
        a, b = groups.order[n : n + 2]
        assert furthest(weights[:, a], weights[:, b]) < 2**15
    for group in singles(groups):
        assert furthest(weights[:, group]) < 2**15
    for pair in groups.pairs:
        assert furthest(weights[:, pair // 2]) >= 2**15


def test_no_two_single_groups_would_fit_together() -> None:
    weights = panel(3, 34.0, count=64)
    groups = order_groups(weights, saturates=True)
    left = singles(groups)
    assert groups.doubled > 4
    assert len(left) > 4
    for n, a in enumerate(left):
        for b in left[n + 1 :]:
            assert furthest(weights[:, a], weights[:, b]) >= 2**15


@pytest.mark.parametrize(
    ("pair", "fits"),
    [
        ((64, 64), True),
        ((127, 1), True),
        ((127, -128), True),
        ((-128, 0), True),
        ((65, 64), False),
        ((-128, -1), False),
        ((-64, -65), False),
    ],
)
def test_the_limit(pair: tuple[int, int], fits: bool) -> None:
    weights = np.zeros((8, 1, 4), np.int64)
    weights[5, 0, 2:] = pair
    groups = order_groups(weights, saturates=True)
    assert (groups.order, groups.pairs) == (((0,), ()) if fits else ((), (0, 1)))


def test_products_that_do_not_saturate_take_all_groups_with_weights() -> None:
    weights = np.full((8, 4, 4), -128, np.int64)
    weights[:, 2] = 0
    assert order_groups(weights, saturates=False) == Groups((0, 1, 3), 0, ())
