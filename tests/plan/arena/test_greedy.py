from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.kernels.targets import TARGETS, Target
from netgen.plan.arena.greedy import least_bytes, packing, place
from netgen.plan.arena.shapes import Shape, Slice, extent
from netgen.plan.build import build_plan
from tests.cases import heavy
from tests.plan.arena.packings import (
    STEPS,
    UNIT,
    assert_placed,
    blocks,
    choices,
    fits,
    least_units,
    loose,
    occupancy,
    shapes,
    tight,
)
from tests.plan.small_graphs import built

Draw = Callable[[int, int], list[Shape]]


@given(st.lists(blocks, max_size=7))
def test_blocks_lie_apart_and_never_below_the_optimum(given: list[Shape]) -> None:
    packed = packing(given)
    offsets = place(packed)
    assert_placed(given, offsets)
    assert least_bytes(packed) <= UNIT * least_units(given) <= extent(given, offsets)


@given(st.lists(shapes(), max_size=6))
def test_shapes_lie_apart_and_never_below_the_optimum(given: list[Shape]) -> None:
    packed = packing(given)
    offsets = place(packed)
    assert_placed(given, offsets)
    assert least_bytes(packed) <= UNIT * least_units(given) <= extent(given, offsets)


@given(st.tuples(shapes(), shapes()), st.integers(0, 12), st.integers(0, 12))
def test_two_shapes_are_apart_where_their_contact_says_so(
    given: tuple[Shape, Shape], first: int, second: int
) -> None:
    packed = packing(given)
    offsets = [packed.ground(0) + UNIT * first, packed.ground(1) + UNIT * second]
    difference = offsets[0] - offsets[1]
    intervals = [between for contact in packed.contacts[0] for between in contact.apart]
    collide = bool((occupancy(given, offsets) > 1).any())
    assert collide == any(low < difference < high for low, high in intervals)


@given(st.lists(shapes(), min_size=1, max_size=6))
def test_no_placement_is_below_the_fullest_step_or_the_largest_shape(given: list[Shape]) -> None:
    used = np.zeros(STEPS, int)
    for shape in given:
        for part in shape.slices:
            used[part.first : part.last + 1] += part.high - part.low
    rooms = [
        max(p.high for p in shape.slices) - min(p.low for p in shape.slices) for shape in given
    ]
    assert least_bytes(packing(given)) == max(used.max(), *rooms)


@given(st.lists(st.tuples(blocks, st.sampled_from([4, 8, 12])), max_size=6))
def test_alignments_are_kept(given: list[tuple[Shape, int]]) -> None:
    alone, alignments = [shape for shape, _ in given], [alignment for _, alignment in given]
    offsets = place(packing(alone, alignments))
    assert_placed(alone, offsets)
    assert all(offset % multiple == 0 for offset, multiple in zip(offsets, alignments, strict=True))
    units = extent(alone, offsets) // UNIT
    offered = [choices(s, units, alignment) for s, alignment in zip(alone, alignments, strict=True)]
    assert fits(alone, offered)


@pytest.mark.heavy
def test_nearly_all_small_cases_are_placed_optimally() -> None:
    random = np.random.default_rng(7)
    optimal = 0
    for _ in range(200):
        given = []
        for _ in range(random.integers(2, 8)):
            size, first, length = map(int, random.integers((1, 0, 0), (6, STEPS, 4)))
            last = min(first + length, STEPS - 1)
            given.append(Shape((Slice(first, last, 0, UNIT * size),)))
        optimal += extent(given, place(packing(given))) == UNIT * least_units(given)
    assert optimal >= 199


@pytest.mark.parametrize("count", [100, heavy(200), heavy(300)])
@pytest.mark.parametrize("seed", [0, 1, heavy(2)])
@pytest.mark.parametrize(("draw", "most"), [(loose, 1.01), (tight, 1.25)])
def test_hundreds_of_blocks(draw: Draw, most: float, seed: int, count: int) -> None:
    given = draw(seed, count)
    packed = packing(given)
    offsets = place(packed)
    ends = [offset + shape.bytes for offset, shape in zip(offsets, given, strict=True)]
    for step in range(max(shape.last for shape in given) + 1):
        alive = [i for i, shape in enumerate(given) if shape.first <= step <= shape.last]
        alive.sort(key=lambda i: offsets[i])
        assert all(ends[i] <= offsets[j] for i, j in pairwise(alive))
    assert max(ends) <= most * least_bytes(packed)


def test_cutting_a_full_rectangle_leaves_its_height_as_the_bound() -> None:
    assert least_bytes(packing(tight(0, 100))) == 1 << 20


def test_blocks_of_no_bytes_are_in_no_ones_way() -> None:
    given = [Shape((Slice(0, 2, 0, 0),)), Shape((Slice(0, 2, 0, 8),)), Shape((Slice(1, 1, 0, 0),))]
    assert extent(given, place(packing(given))) == 8


def test_no_shapes_need_no_arena() -> None:
    assert place(packing([])) == []
    assert least_bytes(packing([])) == 0


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize("network", [heavy("mobilenet_v1"), "mobilenet_v2"])
def test_networks_have_no_gap(network: str, target: Target) -> None:
    plan = build_plan(built(network, alpha=0.5, input_size=96), target)
    assert plan.certificate.gap_bytes == 0
    assert plan.certificate.arena_bytes == plan.certificate.lower_bound_bytes > 0
