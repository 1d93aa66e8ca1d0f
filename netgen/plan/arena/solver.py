"""A constraint solver for arenas of hundreds of shapes: CP-SAT of OR-tools, an optional package."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from netgen.errors import MissingExtraError, PlanError
from netgen.plan.arena.exhaustive import Placement
from netgen.plan.arena.greedy import Packing
from netgen.plan.arena.shapes import extent

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

# Of the solver's own clock, which counts its work: some seconds each, the same everywhere.
_DECIDING = 10.0
_MINIMISING = 5.0
# With more pairs to keep apart, describing them to the solver takes longer than solving may.
_MOST_PAIRS = 200_000


class Solver:
    """Shapes as CP-SAT sees them: pairs of which one lies above the other, offsets in units.

    Every smallest placement can be pushed down until each shape lies on others or on the ground, so
    its offsets are multiples of the common divisor of all bytes and alignments. Answers depend on
    the packing and the version of OR-tools alone.
    """

    def __init__(self, packed: Packing, purpose: str, otherwise: str) -> None:
        """`purpose` and another way out are for the error where OR-tools is missing."""
        try:
            from ortools.sat.python import cp_model
        except ImportError:
            raise MissingExtraError("ortools", "planner", purpose, otherwise) from None
        self._cp: Any = cp_model
        self._packed = packed
        parts = [part for shape in packed.shapes for part in shape.slices]
        marks = [mark for part in parts for mark in (part.low, part.high)]
        self._unit = max(math.gcd(*marks, *(a for a in packed.alignments if a > 1)), 1)
        self._pairs = [
            (index, contact.other, low // self._unit, high // self._unit)
            for index, contacts in enumerate(packed.contacts)
            for contact in contacts
            if contact.other < index
            for low, high in contact.apart
        ]

    def close(self, known: Placement) -> Placement:
        """The smallest placement that is found, or the known one if that is none smaller.

        Whether the least that is known to be needed suffices is answered soonest, and asked first.
        """
        size = extent(self._packed.shapes, known.offsets)
        least = -(-known.least // self._unit) * self._unit
        if least < size:
            found = self.within(least, known.offsets)
            if found:
                return Placement(found, least)
            if found is not None:
                least += self._unit
        if least < size:
            return self._below(size, least, known.offsets)
        return Placement(known.offsets, size)

    def within(self, size: int, hint: Sequence[int]) -> list[int] | None:
        """Offsets of an arena of at most `size` bytes: [] where there are none, None if unknown."""
        if len(self._pairs) > _MOST_PAIRS:
            return None
        model, starts = self._model(size, hint)
        solver, status = self._solve(model, _DECIDING)
        if status == "UNKNOWN":
            return None
        return [] if status == "INFEASIBLE" else self._offsets(solver, starts)

    def first(self, offsets: Sequence[int], size: int) -> list[int]:
        """The placement of `size` bytes whose list of offsets comes first among all of that size.

        `offsets` is one of them. Raises PlanError if the solver gives up.
        """
        found = [*offsets]
        for index in range(len(found)):
            if found[index] > self._packed.ground(index):
                found = self._lowered(index, found, size)
        return found

    def _below(self, size: int, least: int, offsets: list[int]) -> Placement:
        """The smallest placement of `least` bytes or more, given one of `size`."""
        if len(self._pairs) > _MOST_PAIRS:
            return Placement(offsets, least)
        model, starts = self._model(size - self._unit, offsets)
        top = model.new_int_var(least // self._unit, size // self._unit - 1, "")
        for index, start in enumerate(starts):
            model.add(start + self._packed.top(index) // self._unit <= top)
        model.minimize(top)
        solver, status = self._solve(model, _MINIMISING)
        if status in {"INFEASIBLE", "UNKNOWN"}:
            return Placement(offsets, size if status == "INFEASIBLE" else least)
        proven = math.ceil(solver.best_objective_bound - 1e-6) * self._unit
        return Placement(self._offsets(solver, starts), max(least, proven))

    def _lowered(self, index: int, offsets: Sequence[int], size: int) -> list[int]:
        """A placement with this shape as low as it can be while those before it stay."""
        model, starts = self._model(size, offsets)
        for start, offset in zip(starts[:index], offsets, strict=False):
            model.add(start == offset // self._unit)
        model.minimize(starts[index])
        solver, status = self._solve(model, _MINIMISING)
        if status != "OPTIMAL":
            raise PlanError(
                "the solver reached its limit while it chose among the smallest arenas",
                found=f"{size} bytes",
                hint="take a placement with a gap by --accept-gap",
            )
        return self._offsets(solver, starts)

    def _model(
        self, size: int, hint: Sequence[int]
    ) -> tuple[cp_model.CpModel, list[cp_model.IntVar]]:
        """A model of all placements of at most `size` bytes, and the offsets in it, in units."""
        model = self._cp.CpModel()
        starts, lives, places = [], [], []
        for index, shape in enumerate(self._packed.shapes):
            start = self._start(model, index, size)
            model.add_hint(start, hint[index] // self._unit)
            starts.append(start)
            for part in shape.slices:
                length = part.last + 1 - part.first
                lives.append(model.new_fixed_size_interval_var(part.first, length, ""))
                low, high = part.low // self._unit, part.high // self._unit
                places.append(model.new_fixed_size_interval_var(start + low, high - low, ""))
        # Either would do: from the pairs the solver learns, the rectangles tell it early that more
        # is left than there is room for.
        model.add_no_overlap_2d(lives, places)
        for index, other, low, high in self._pairs:
            above = model.new_bool_var("")
            model.add(starts[index] - starts[other] >= high).only_enforce_if(above)
            model.add(starts[index] - starts[other] <= low).only_enforce_if(~above)
        return model, starts

    def _start(self, model: cp_model.CpModel, index: int, size: int) -> cp_model.IntVar:
        """The offset of a shape in units."""
        lowest, highest = self._packed.ground(index), size - self._packed.top(index)
        start = model.new_int_var(lowest // self._unit, highest // self._unit, "")
        alignment = self._packed.alignments[index]
        if alignment > self._unit:
            steps = model.new_int_var(lowest // alignment, highest // alignment, "")
            model.add(start == alignment // self._unit * steps)
        return start

    def _solve(self, model: cp_model.CpModel, limit: float) -> tuple[cp_model.CpSolver, str]:
        """The solver after its work, and the name of its status."""
        solver = self._cp.CpSolver()
        solver.parameters.num_workers = 1
        # One worker takes turns with several strategies, which are seldom all at a loss.
        solver.parameters.interleave_search = True
        solver.parameters.random_seed = 0
        solver.parameters.max_deterministic_time = limit
        # Relaxations and probing say little of placements, and cost most of the time.
        solver.parameters.linearization_level = 0
        solver.parameters.cp_model_probing_level = 0
        return solver, str(solver.status_name(solver.solve(model)))

    def _offsets(self, solver: cp_model.CpSolver, starts: Sequence[cp_model.IntVar]) -> list[int]:
        return [solver.value(start) * self._unit for start in starts]
