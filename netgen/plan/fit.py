"""The fastest cut of a schedule whose arena fits into a budget.

Segments are chosen by estimates, and an arena may turn out larger, for its buffers must be placed.
So a cut is placed before it is believed; that takes longer than finding it, and is done once.
"""

from __future__ import annotations

from collections.abc import Sequence

from netgen.plan.banded import Cut, cut_schedule
from netgen.plan.bands import Banding
from netgen.plan.certified import best_offsets
from netgen.plan.cut import Choice, fastest, smallest
from netgen.plan.overlap import choose_overlaps
from netgen.plan.plan import Certificate, Segment
from netgen.plan.schedule import Schedule
from netgen.plan.shapes import extent, lower_bound

_Key = tuple[int, int, bool]


class Cutter:
    """Cuts a schedule into some of the segments that are `found`, and remembers the arenas."""

    def __init__(self, schedule: Schedule, found: Sequence[Choice], alignment: int) -> None:
        self.schedule, self.found, self.alignment = schedule, found, alignment
        self._choices = {_key(choice.part): choice for choice in found}
        self._certificates: dict[tuple[_Key, ...], Certificate] = {}

    def fitting(self, ram: float) -> Cut | None:
        """The fastest cut whose arena has at most `ram` bytes; None where none has.

        Where an arena is larger than its segments were estimated, the budget of the estimate
        shrinks by a part of what was too much, down to the smallest cut.
        """
        budget = ram
        while (cut := fastest(self.found, len(self.schedule.calls), budget)) is not None:
            excess = self.certificate(cut).arena_bytes - ram
            if excess <= 0:
                return cut
            worst = max(self._choices[_key(part)].bytes for part in cut)
            budget = min(budget, worst) - max(excess // 4, 1)
        # An estimate may be too high, too.
        least = self.smallest()
        return least if least and self.certificate(least).arena_bytes <= ram else None

    def smallest(self) -> Cut | None:
        """The cut whose worst segment is estimated least; None where the network cannot be cut."""
        return smallest(self.found, len(self.schedule.calls))

    def certificate(self, cut: Cut) -> Certificate:
        """What the arena of a cut comes to."""
        key = tuple(map(_key, cut))
        if key not in self._certificates:
            _, merged = choose_overlaps(cut_schedule(self.schedule, cut), self.alignment)
            shapes = [part.shape for part in merged]
            size, bound = extent(shapes, best_offsets(shapes)), lower_bound(shapes)
            self._certificates[key] = Certificate(size, bound, size - bound)
        return self._certificates[key]

    def cycles(self, cut: Cut) -> float:
        """Estimated cycles of all segments."""
        return sum(self._choices[_key(part)].cycles for part in cut)


def _key(part: Segment | Banding) -> _Key:
    """What tells the segments of a schedule apart: first and last call, and whether by bands."""
    segment = part.segment if isinstance(part, Banding) else part
    return segment.first, segment.last, isinstance(part, Banding)
