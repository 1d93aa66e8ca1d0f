"""What a constraint solver does for the arena: closes gaps of simple placements, or proves them.

The solver is CP-SAT of OR-tools, an optional package. What netgen writes must not depend on what
is installed: without the package there is an error where the solver is needed, never another
placement, and of all placements of the least size a plan takes one that is defined without it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from netgen.errors import MissingExtraError, PlanError
from netgen.plan.arena import Packing, extent, lower_bound

# Of the solver's own clock, which counts its work: some seconds each, the same everywhere.
_DECIDING = 16.0
_MINIMISING = 4.0
# With more pairs to keep apart, describing them to the solver takes longer than solving may.
_MOST_PAIRS = 200_000

Outcome = Literal["found", "impossible", "unknown"]
_OUTCOMES: dict[str, Outcome] = {
    "OPTIMAL": "found",
    "FEASIBLE": "found",
    "INFEASIBLE": "impossible",
    "UNKNOWN": "unknown",
}


@dataclass(frozen=True)
class Closed:
    """A placement, and the fewest bytes that any needs, as far as that is proven."""

    offsets: list[int]
    least: int


class Solver:
    """Shapes as CP-SAT sees them: pairs of which one lies above the other, offsets in units.

    Every optimum can be pushed down until each shape lies on others or on the ground, so its
    offsets are multiples of the common divisor of all bytes and alignments. Of time only the order
    matters. Everything here is a function of the packing alone, for one version of OR-tools.
    """

    def __init__(self, packed: Packing, purpose: str) -> None:
        """`purpose` opens the error where OR-tools is missing."""
        try:
            from ortools.sat.python import cp_model
        except ImportError:
            raise MissingExtraError("ortools", "planner", purpose) from None
        self._cp: Any = cp_model
        self._packed = packed
        parts = [part for shape in packed.shapes for part in shape.slices]
        marks = [mark for part in parts for mark in (part.low, part.high)]
        self._unit = max(math.gcd(*marks, *(a for a in packed.alignments if a > 1)), 1)
        self._begins = sorted({part.first for part in parts})
        self._pairs = [
            (index, contact.other, low // self._unit, high // self._unit)
            for index, contacts in enumerate(packed.contacts)
            for contact in contacts
            if contact.other < index
            for low, high in contact.apart
        ]

    def close(self, offsets: Sequence[int]) -> Closed:
        """The smallest placement that is found; these offsets if none is smaller.

        Whether the lower bound suffices is quick to answer and asked first.
        """
        size, bound = extent(self._packed.shapes, offsets), lower_bound(self._packed.shapes)
        if bound < size:
            outcome, found = self.within(bound, offsets)
            if outcome == "found":
                return Closed(found, bound)
            if outcome == "impossible":
                bound += self._unit
        return self._below(size, bound, offsets) if bound < size else Closed([*offsets], size)

    def within(self, size: int, hint: Sequence[int]) -> tuple[Outcome, list[int]]:
        """A placement of at most `size` bytes."""
        if len(self._pairs) > _MOST_PAIRS:
            return "unknown", []
        model, starts = self._model(size, hint)
        solver, status = self._solve(model, _DECIDING)
        outcome = _OUTCOMES[status]
        return outcome, self._offsets(solver, starts) if outcome == "found" else []

    def first(self, offsets: Sequence[int], size: int) -> list[int]:
        """Of all placements of `size` bytes the one whose list of offsets comes first.

        `offsets` is one of them. Raises PlanError where the solver cannot say.
        """
        found = [*offsets]
        for index in range(len(found)):
            if found[index] > self._packed.ground(index):
                found = self._lowered(index, found, size)
        return found

    def _below(self, size: int, bound: int, offsets: Sequence[int]) -> Closed:
        """The smallest placement of `bound` bytes or more, given one of `size`."""
        if len(self._pairs) > _MOST_PAIRS:
            return Closed([*offsets], bound)
        model, starts = self._model(size - self._unit, offsets)
        top = model.new_int_var(bound // self._unit, size // self._unit - 1, "")
        for shape, start in zip(self._packed.shapes, starts, strict=True):
            model.add(start + max(part.high for part in shape.slices) // self._unit <= top)
        model.minimize(top)
        solver, status = self._solve(model, _MINIMISING)
        outcome = _OUTCOMES[status]
        if outcome == "found":
            least = math.ceil(solver.best_objective_bound - 1e-6) * self._unit
            return Closed(self._offsets(solver, starts), max(bound, least))
        return Closed([*offsets], size if outcome == "impossible" else bound)

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
                hint="take the simple placement with --accept-gap",
            )
        return self._offsets(solver, starts)

    def _model(self, size: int, hint: Sequence[int]) -> tuple[Any, list[Any]]:
        """A model of all placements of at most `size` bytes, and the offsets in it, in units."""
        model, starts = self._cp.CpModel(), []
        lives, places = [], []
        for index, shape in enumerate(self._packed.shapes):
            start = self._start(model, index, size)
            model.add_hint(start, hint[index] // self._unit)
            starts.append(start)
            for part in shape.slices:
                begin = bisect_left(self._begins, part.first)
                length = bisect_right(self._begins, part.last) - begin
                lives.append(model.new_fixed_size_interval_var(begin, length, ""))
                low, bytes_ = part.low // self._unit, (part.high - part.low) // self._unit
                places.append(model.new_fixed_size_interval_var(start + low, bytes_, ""))
        # Either would do: the pairs are what the solver learns from, the rectangles tell it early
        # that more is left than there is room for.
        model.add_no_overlap_2d(lives, places)
        for index, other, low, high in self._pairs:
            above = model.new_bool_var("")
            model.add(starts[index] - starts[other] >= high).only_enforce_if(above)
            model.add(starts[index] - starts[other] <= low).only_enforce_if(~above)
        return model, starts

    def _start(self, model: Any, index: int, size: int) -> Any:  # noqa: ANN401  # OR-tools' own
        """The offset of a shape, in units."""
        top = max(part.high for part in self._packed.shapes[index].slices)
        lowest, highest = self._packed.ground(index), size - top
        start = model.new_int_var(lowest // self._unit, highest // self._unit, "")
        alignment = self._packed.alignments[index]
        if alignment > self._unit:
            # From -1: a shape may begin below byte 0 of its own.
            steps = model.new_int_var(lowest // alignment, highest // alignment, "")
            model.add(start == alignment // self._unit * steps)
        return start

    def _solve(self, model: Any, limit: float) -> tuple[Any, str]:  # noqa: ANN401  # OR-tools' own
        """The solver after its work, and the name of its status."""
        solver = self._cp.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 0
        solver.parameters.max_deterministic_time = limit
        # Relaxations to fractions say little of placements, and cost most of the time.
        solver.parameters.linearization_level = 0
        return solver, str(solver.status_name(solver.solve(model)))

    def _offsets(self, solver: Any, starts: Sequence[Any]) -> list[int]:  # noqa: ANN401
        return [solver.value(start) * self._unit for start in starts]
