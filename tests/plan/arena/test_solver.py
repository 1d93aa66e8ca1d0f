from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.errors import MissingExtraError, PlanError
from netgen.plan.arena import exhaustive, solver
from netgen.plan.arena.exhaustive import Placement, improve
from netgen.plan.arena.greedy import Packing, least_bytes, packing, place
from netgen.plan.arena.placement import place_certified, place_smallest, place_within
from netgen.plan.arena.shapes import Shape, extent
from netgen.plan.arena.solver import Solver
from tests.cases import examples
from tests.plan.arena.packings import (
    HOOKED,
    UNIT,
    assert_placed,
    blocks,
    choices,
    first_of_smallest,
    fits,
    least_units,
    loose,
    shapes,
    tight,
)


@pytest.fixture
def no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exhaustive search gives up at once, as it does with hundreds of shapes."""
    monkeypatch.setattr(exhaustive, "_MOST_LOOKS", 0)


@pytest.fixture
def no_ortools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the extra be absent."""
    monkeypatch.setitem(sys.modules, "ortools", None)
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)


def simple(given: list[Shape]) -> tuple[Packing, Placement]:
    packed = packing(given)
    return packed, Placement(place(packed), least_bytes(packed))


def solver_of(packed: Packing) -> Solver:
    return Solver(packed, "testing", "do not test")


@examples(24)
@given(st.lists(shapes(), min_size=2, max_size=6))
def test_the_solver_reaches_the_optimum_and_the_first_of_its_placements(
    given: list[Shape],
) -> None:
    units = least_units(given)
    packed, known = simple(given)
    # From worse than any simple placement, so that there is something to close.
    piled = [sum(shape.bytes for shape in given) * 2 + offset for offset in known.offsets]
    best = solver_of(packed).close(Placement(piled, known.least))
    assert_placed(given, best.offsets)
    assert extent(given, best.offsets) == best.least == UNIT * units
    first = solver_of(packed).first(best.offsets, UNIT * units)
    assert first == first_of_smallest(given)


@examples(60)
@given(
    st.lists(st.tuples(blocks, st.sampled_from([4, 8, 12])), min_size=1, max_size=5),
    st.integers(1, 12),
)
def test_the_solver_fits_aligned_blocks_where_they_fit(
    given: list[tuple[Shape, int]], units: int
) -> None:
    alone, alignments = [shape for shape, _ in given], [alignment for _, alignment in given]
    packed = packing(alone, alignments)
    if UNIT * units < least_bytes(packed):
        return
    found = solver_of(packed).within(UNIT * units, place(packed))
    offered = [choices(s, units, alignment) for s, alignment in zip(alone, alignments, strict=True)]
    assert bool(found) == fits(alone, offered)
    if found:
        assert_placed(alone, found)
        assert all(offset % a == 0 for offset, a in zip(found, alignments, strict=True))


def test_a_gap_that_searches_leave_is_closed_and_is_the_same_again() -> None:
    given = tight(8, 120)
    packed, known = simple(given)
    assert extent(given, improve(packed, known.offsets).offsets) > 1 << 20
    best = solver_of(packed).close(known)
    assert extent(given, best.offsets) == best.least == 1 << 20
    assert solver_of(packed).close(known) == best


@pytest.mark.usefixtures("no_search")
def test_the_plan_takes_the_first_of_the_smallest_placements() -> None:
    best = place_certified(HOOKED, accept_gap=False)
    assert best == Placement(first_of_smallest(HOOKED), 10 * UNIT)


@pytest.mark.usefixtures("no_search")
def test_a_solver_at_its_limit_is_an_error_of_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "_DECIDING", 0.0)
    monkeypatch.setattr(solver, "_MINIMISING", 0.0)
    with pytest.raises(PlanError, match=r"expected 36 bytes or more, found 48 bytes.*--accept-gap"):
        place_certified(HOOKED, accept_gap=False)
    with pytest.raises(PlanError, match=r"reached its limit.*allow 48"):
        place_within(packing(HOOKED), 40)
    bare = place_smallest(packing(HOOKED), accept_gap=False)
    assert bare == Placement(place(packing(HOOKED)), 36)


@pytest.mark.usefixtures("no_search", "no_ortools")
def test_without_the_extra_the_error_names_both_ways_out() -> None:
    both = "12 bytes larger.*ortools.*pip install ortools, or accept that with --accept-gap"
    with pytest.raises(MissingExtraError, match=both):
        place_certified(HOOKED, accept_gap=False)
    with pytest.raises(MissingExtraError, match=both):
        place_smallest(packing(HOOKED), accept_gap=False)


@pytest.mark.usefixtures("no_ortools")
def test_what_searches_close_needs_no_extra() -> None:
    assert extent(HOOKED, place_certified(HOOKED, accept_gap=False).offsets) == 10 * UNIT
    given = loose(0, 300)
    assert extent(given, place_certified(given, accept_gap=False).offsets) == least_bytes(
        packing(given)
    )


@pytest.mark.usefixtures("no_search")
def test_an_accepted_gap_is_the_same_with_and_without_the_extra(
    request: pytest.FixtureRequest,
) -> None:
    installed = place_certified(HOOKED, accept_gap=True)
    request.getfixturevalue("no_ortools")
    assert place_certified(HOOKED, accept_gap=True) == installed
    assert extent(HOOKED, installed.offsets) == 12 * UNIT


@given(st.lists(shapes(), min_size=1, max_size=5), st.integers(0, 12))
def test_a_capacity_is_met_or_refused(given: list[Shape], units: int) -> None:
    packed, capacity = packing(given), UNIT * units
    if least_units(given) <= units:
        placed = place_within(packed, capacity)
        assert_placed(given, placed.offsets)
        assert extent(given, placed.offsets) <= capacity
    else:
        with pytest.raises(PlanError, match=f"do not fit.*a capacity of {capacity} bytes"):
            place_within(packed, capacity)
