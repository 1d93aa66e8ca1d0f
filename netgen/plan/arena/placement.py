"""Placements with a proof: the simple ones, then the exhaustive search, then the solver.

What netgen writes must not depend on what is installed. The first two are netgen's own. Where the
third is needed and OR-tools is missing, there is an error, never another placement; and of all the
smallest placements a plan takes one that is defined without the solver.
"""

from __future__ import annotations

from collections.abc import Sequence

from netgen.errors import PlanError
from netgen.plan.arena.exhaustive import Placement, Search, improve
from netgen.plan.arena.greedy import Packing, least_bytes, packing, place
from netgen.plan.arena.shapes import Shape, extent
from netgen.plan.arena.solver import Solver


def best_offsets(shapes: Sequence[Shape]) -> list[int]:
    """The smallest placement that is found without the solver, whether or not it is proven."""
    return place_certified(shapes, accept_gap=True).offsets


def place_certified(shapes: Sequence[Shape], *, accept_gap: bool) -> Placement:
    """The smallest placement, proven; with `accept_gap` the best that needs no solver.

    Where the solver is needed it finds the least size, and of the placements of that size the one
    is taken whose offsets, read as a list, come first: there is one such list, whichever version of
    the solver finds it. Raises PlanError where the solver gives up, and MissingExtraError where it
    is not installed.
    """
    packed = packing(shapes)
    best = improve(packed, place(packed))
    size = extent(shapes, best.offsets)
    if best.least == size or accept_gap:
        return best
    solver = _gap_solver(packed, size - best.least)
    best = solver.close(best)
    size = extent(shapes, best.offsets)
    if best.least < size:
        raise PlanError(
            "the solver reached its limit before it proved an arena to be the smallest",
            expected=f"{best.least} bytes or more",
            found=f"{size} bytes",
            hint="take a placement with a gap by --accept-gap",
        )
    return Placement(solver.first(best.offsets, size), best.least)


def place_smallest(packed: Packing, *, accept_gap: bool) -> Placement:
    """The smallest placement that is found, whether or not it is proven; as above without solver.

    Raises MissingExtraError where the solver is needed and not installed.
    """
    best = improve(packed, place(packed))
    gap = extent(packed.shapes, best.offsets) - best.least
    if gap == 0 or accept_gap:
        return best
    return _gap_solver(packed, gap).close(best)


def place_within(packed: Packing, capacity: int) -> Placement:
    """Offsets of an arena of at most `capacity` bytes. Raises PlanError where none is found."""
    bound = least_bytes(packed)
    if capacity < bound:
        raise _no_room(f"{bound} bytes or more", capacity)
    offsets = place(packed)
    size = extent(packed.shapes, offsets)
    if size <= capacity:
        return Placement(offsets, bound)
    found = Search(packed).within(capacity)
    if found is None:
        solver = Solver(
            packed,
            f"fitting the buffers into {capacity} bytes",
            f"allow {size}, for which there is a placement",
        )
        found = solver.within(capacity, offsets)
    if found is None:
        raise PlanError(
            "the solver reached its limit before it found a placement",
            found=f"a capacity of {capacity} bytes",
            hint=f"allow {size}, for which there is one",
        )
    if not found:
        raise _no_room("more, as a search has proven", capacity)
    return Placement(found, bound)


def _gap_solver(packed: Packing, gap: int) -> Solver:
    return Solver(
        packed,
        f"an arena that may be {gap} bytes larger than it need be",
        "accept that with --accept-gap",
    )


def _no_room(expected: str, capacity: int) -> PlanError:
    return PlanError(
        "these buffers do not fit",
        expected=expected,
        found=f"a capacity of {capacity} bytes",
        hint="raise the capacity, or let fewer or smaller buffers live at one time",
    )
