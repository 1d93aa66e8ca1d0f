from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.plan.arena import exhaustive
from netgen.plan.arena.exhaustive import Search, improve
from netgen.plan.arena.greedy import least_bytes, packing, place
from netgen.plan.arena.shapes import Shape, extent
from tests.plan.arena.packings import (
    HOOKED,
    UNIT,
    assert_placed,
    choices,
    fits,
    least_units,
    shapes,
    tight,
)


def piled(given: list[Shape]) -> list[int]:
    """The worst placement: every shape above all those before it."""
    offsets, end = [], 0
    for shape in given:
        offsets.append(end - min(part.low for part in shape.slices))
        end = offsets[-1] + max(part.high for part in shape.slices)
    return offsets


@given(st.lists(shapes(), max_size=6))
def test_the_optimum_is_found_and_proven_from_any_placement(given: list[Shape]) -> None:
    best = improve(packing(given), piled(given))
    assert_placed(given, best.offsets)
    assert extent(given, best.offsets) == best.least == UNIT * least_units(given)


@given(st.lists(shapes(), min_size=1, max_size=5), st.integers(1, 12))
def test_a_search_finds_a_placement_where_there_is_one(given: list[Shape], units: int) -> None:
    found = Search(packing(given)).within(UNIT * units)
    assert bool(found) == fits(given, [choices(shape, units) for shape in given])
    if found:
        assert_placed(given, found)
        assert extent(given, found) <= UNIT * units


def test_what_simple_placements_leave_is_closed() -> None:
    packed = packing(HOOKED)
    assert extent(HOOKED, place(packed)) == 12 * UNIT
    best = improve(packed, place(packed))
    assert_placed(HOOKED, best.offsets)
    assert extent(HOOKED, best.offsets) == best.least == 10 * UNIT
    assert least_units(HOOKED) == 10


def test_what_meets_the_bound_is_kept() -> None:
    given = tight(0, 12)
    packed = packing(given)
    offsets = place(packed)
    assert extent(given, offsets) == least_bytes(packed)
    assert improve(packed, offsets).offsets == offsets


def test_a_search_that_is_given_up_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhaustive, "_MOST_LOOKS", 0)
    packed = packing(HOOKED)
    best = improve(packed, place(packed))
    assert best.offsets == place(packed)
    assert best.least == least_bytes(packed)
    assert Search(packed).within(UNIT * 10) is None


def test_a_large_search_ends() -> None:
    given = tight(1, 300)
    packed = packing(given)
    best = improve(packed, place(packed))
    assert best.least == 1 << 20
    assert extent(given, best.offsets) <= extent(given, place(packed))
