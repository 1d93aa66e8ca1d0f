"""The fastest cut of a schedule whose arena fits into a budget, and the smallest arena of any cut.

Segments are chosen by estimates from below, since how buffers overlap and are placed is known only
of a whole cut. So a cut is placed; if it needs more than was estimated, the segment that needs most
is held to what it took, and the next cut is looked for. Where kernels have choices that take less
scratch, a segment takes them as far as it must.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netgen.plan.arena.overlap import choose_overlaps, lowest_overlaps, merge
from netgen.plan.arena.placement import best_offsets
from netgen.plan.arena.shapes import extent, lower_bound, needs
from netgen.plan.arena.state_places import state_bytes
from netgen.plan.data.plan import Certificate, Segment
from netgen.plan.schedule.schedule import Schedule
from netgen.plan.segments.cut_schedule import Cut, cut_schedule
from netgen.plan.segments.fastest_cut import (
    SegmentChoice,
    cut_of,
    fastest_parts,
    other_parts,
    smallest_parts,
)
from netgen.plan.segments.flood import Banding

_Key = tuple[int, int, bool]
_CutKey = tuple[tuple[_Key, ...], tuple[tuple[int, tuple[tuple[str, int], ...]], ...]]
# Corrections before a search settles for what it has. Few networks need half of them.
_MOST_CORRECTIONS = 200


class Cutter:
    """Cuts a schedule into some of the segments that are `found`, and remembers the arenas."""

    def __init__(self, schedule: Schedule, found: Sequence[SegmentChoice], alignment: int) -> None:
        self.schedule, self.found, self.alignment = schedule, found, alignment
        self._choices = {_key(choice.part): choice for choice in found}
        self._state_bytes = state_bytes(schedule.buffers.values(), alignment)
        self._certificates: dict[_CutKey, Certificate] = {}
        self._needs: dict[_CutKey, list[int]] = {}

    def fitting(self, ram: float) -> Cut | None:
        """The fastest cut found whose arena has at most `ram` bytes; None where none has."""
        found, calls = dict(self._choices), len(self.schedule.calls)
        for _ in range(_MOST_CORRECTIONS):
            parts = fastest_parts([*found.values()], calls, ram)
            if parts is None:
                break
            cut = cut_of(parts)
            if self._bound(cut) <= ram and self.certificate(cut).arena_bytes <= ram:
                return cut
            self._correct(found, parts)
        # Placements may leave gaps, which are no segment's own: then the smallest may do.
        least = self.smallest()
        return least if least and self.certificate(least).arena_bytes <= ram else None

    def least(self) -> Cut | None:
        """The fastest cut found with the smallest arena; None where the network cannot be cut.

        The search for a budget corrects its estimates otherwise than that for the smallest arena,
        and may find less.
        """
        cut = self.smallest()
        while cut is not None:
            size = self.certificate(cut).arena_bytes
            less = self.fitting(size - 1)
            if less is None:
                return self.fitting(size) or cut
            cut = less
        return None

    def smallest(self) -> Cut | None:
        """The cut with the smallest arena found; None where the network cannot be cut."""
        best: Cut | None = None
        least = float("inf")
        for bound, cut in self._lowest():
            if bound >= least:
                break
            cuts = [cut]
            if self.certificate(cut).arena_bytes > bound:
                others = other_parts(self.found, len(self.schedule.calls), bound)
                cuts += [cut_of(parts) for parts in others]
            for candidate in cuts:
                if self._bound(candidate) < least:
                    size = self.certificate(candidate).arena_bytes
                    best, least = (candidate, size) if size < least else (best, least)
        return best

    def _lowest(self) -> list[tuple[int, Cut]]:
        """Cuts by the least that their arenas can be, down to the lowest of all."""
        found = dict(self._choices)
        seen: list[tuple[int, Cut]] = []
        lowest = float("inf")
        for _ in range(_MOST_CORRECTIONS):
            parts = smallest_parts([*found.values()], len(self.schedule.calls))
            if parts is None:
                break
            cut = cut_of(parts)
            seen.append((self._bound(cut), cut))
            lowest = min(lowest, self._bound(cut))
            if max(part.bytes for part in parts) >= lowest:
                break
            self._correct(found, parts)
        return sorted(seen, key=lambda pair: pair[0])

    def certificate(self, cut: Cut) -> Certificate:
        """The arena of a cut, placed without the solver: bytes, lower bound and gap."""
        key = _cut_key(cut)
        if key not in self._certificates:
            _, merged = choose_overlaps(cut_schedule(self.schedule, cut), self.alignment)
            shapes = [part.shape for part in merged]
            states = self._state_bytes
            size, bound = extent(shapes, best_offsets(shapes)), lower_bound(shapes)
            size, bound = size + states, bound + states
            self._certificates[key] = Certificate(size, bound, size - bound)
        return self._certificates[key]

    def cycles(self, cut: Cut) -> float:
        """Estimated cycles of all segments, by the choices of their calls."""
        return sum(self._choices[_key(part)].by(cut.choices).cycles for part in cut.parts)

    def _correct(self, found: dict[_Key, SegmentChoice], parts: Sequence[SegmentChoice]) -> None:
        """Hold the segment in which a cut needs most bytes to what is needed there.

        Where that was foreseen, gaps between the buffers make the arena larger: then to all of it.
        """
        cut = cut_of(parts)
        bound = self._bound(cut)
        worst = parts[self._needs_of(cut).index(bound)]
        taken = bound if bound > worst.bytes else self.certificate(cut).arena_bytes
        found[_key(worst.part)] = replace(worst, bytes=taken).after(0)

    def _bound(self, cut: Cut) -> int:
        """The least that the arena of a cut can be."""
        return max(self._needs_of(cut))

    def _needs_of(self, cut: Cut) -> list[int]:
        """Bytes in use in each segment of a cut; to place them takes far longer than this."""
        key = _cut_key(cut)
        if key not in self._needs:
            banded = cut_schedule(self.schedule, cut)
            overlaps = lowest_overlaps(banded, self.alignment)
            shapes = [part.shape for part in merge(banded, overlaps, self.alignment)]
            self._needs[key] = [self._state_bytes + need for need in needs(shapes) or [0]]
        return self._needs[key]


def _key(part: Segment | Banding) -> _Key:
    """The key of a segment in its schedule: its first and last call, and whether it has bands."""
    segment = part.segment if isinstance(part, Banding) else part
    return segment.first, segment.last, isinstance(part, Banding)


def _cut_key(cut: Cut) -> _CutKey:
    chosen = ((call, (*sorted(choice.items()),)) for call, choice in sorted(cut.choices.items()))
    return tuple(map(_key, cut.parts)), (*chosen,)
