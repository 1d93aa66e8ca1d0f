from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.kernels.targets import TARGETS
from netgen.plan.arena import Block, extent, lower_bound, place
from netgen.plan.build import build_plan
from tests.plan.small_graphs import built

STEPS = 6


def block(size: int, first: int, length: int) -> Block:
    return Block(4 * size, first, min(first + length, STEPS - 1))


blocks = st.lists(
    st.builds(block, st.integers(1, 9), st.integers(0, STEPS - 1), st.integers(0, STEPS - 1)),
    max_size=7,
)


def least_extent(given: list[Block]) -> int:
    """The optimum, by search over every order of stacking blocks upon those placed before."""
    bound = lower_bound(given)
    best = sum(b.bytes for b in given)

    def search(placed: list[tuple[Block, int]], rest: list[Block], height: int) -> None:
        nonlocal best
        if height >= best or best == bound:
            return
        if not rest:
            best = height
        for index, b in enumerate(rest):
            # In an optimal placement taken by offset, every block stands on others or on 0.
            at = max((o + p.bytes for p, o in placed if p.meets(b)), default=0)
            others = rest[:index] + rest[index + 1 :]
            search([*placed, (b, at)], others, max(height, at + b.bytes))

    search([], given, 0)
    return best


def assert_disjoint(given: list[Block], offsets: list[int]) -> None:
    occupied = np.zeros((STEPS, extent(given, offsets)), int)
    for b, offset in zip(given, offsets, strict=True):
        assert offset >= 0
        occupied[b.first : b.last + 1, offset : offset + b.bytes] += 1
    assert occupied.max(initial=0) <= 1


@given(blocks)
def test_placements_are_disjoint_and_never_below_the_optimum(given: list[Block]) -> None:
    offsets = place(given)
    assert_disjoint(given, offsets)
    assert lower_bound(given) <= least_extent(given) <= extent(given, offsets)


@given(blocks)
def test_lower_bound_is_the_fullest_step(given: list[Block]) -> None:
    alive = [sum(b.bytes for b in given if b.first <= t <= b.last) for t in range(STEPS)]
    assert lower_bound(given) == max(alive)


def test_most_small_cases_are_placed_optimally(
    record_property: pytest.FixtureRequest,
) -> None:
    generator = np.random.default_rng(7)
    optimal = 0
    for _ in range(200):
        given = [
            block(*map(int, generator.integers((1, 0, 0), (10, STEPS, 4))))
            for _ in range(generator.integers(2, 8))
        ]
        optimal += extent(given, place(given)) == least_extent(given)
    record_property("optimal of 200", optimal)  # type: ignore[operator]
    assert optimal >= 190


def test_no_blocks_need_no_arena() -> None:
    assert place([]) == []
    assert extent([], []) == lower_bound([]) == 0


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize("network", ["mobilenet_v1", "mobilenet_v2"])
def test_networks_have_no_gap(network: str, target: object) -> None:
    plan = build_plan(built(network, alpha=0.5, input_size=96), target)  # type: ignore[arg-type]
    assert plan.certificate.gap_bytes == 0
    assert plan.certificate.arena_bytes == plan.certificate.lower_bound_bytes > 0
