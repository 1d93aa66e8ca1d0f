"""Cuts into segments: the fastest whose arena fits.

A segment's memory is the buffers that live through it and its rings; it does not depend on how the
rest is cut. So the fastest cut within a budget is a shortest path over the calls, and the smallest
arena the path whose worst segment is least. Bytes are estimated from below, as if all overlaps that
might save some could be had together; `plan/budget.py` corrects them by the arenas of whole cuts.
Within a budget each segment gives up as little speed for scratch as it must (`lean_choices.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from netgen.kernels.layer import Choice, Kernel, Layer
from netgen.kernels.targets import Target
from netgen.plan.data.alignment import round_up
from netgen.plan.data.plan import Segment
from netgen.plan.schedule.division import scratch_bytes
from netgen.plan.schedule.schedule import Schedule
from netgen.plan.segments.cut_schedule import Cut, banded_call
from netgen.plan.segments.flood import Banding, flood
from netgen.plan.segments.lean_choices import (
    NO_STEPS,
    GrowingSteps,
    LeanStep,
    LeanSteps,
    lean_steps,
)
from netgen.plan.segments.waiting_rows import call_height

# Cycles to call a kernel and to find out which comes next.
_CALL = 60.0
# What a byte of memory costs that is in use for a step: less than any difference in time.
_BYTE = 1e-7
# How far apart sums of the same cycles in another order may be.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class SegmentChoice:
    """One way to execute calls `first` to `last`: estimated bytes of the arena, and cycles.

    Both are those with the first `taken` of the steps to less scratch.
    """

    part: Segment | Banding
    first: int
    last: int
    bytes: int
    cycles: float
    steps: LeanSteps = NO_STEPS
    taken: int = 0

    def within(self, budget: float) -> SegmentChoice | None:
        """The fastest that needs no more than the budget, with at least the steps taken."""
        if self.bytes <= budget:
            return self
        before = self.steps.saved[self.taken]
        taken = self.steps.needed(math.ceil(self.bytes - budget) + before)
        return None if taken is None else self.after(taken)

    def after(self, taken: int) -> SegmentChoice:
        """The same with so many steps taken."""
        saved, lost = self.steps.saved, self.steps.lost
        return replace(
            self,
            bytes=self.bytes - saved[taken] + saved[self.taken],
            cycles=self.cycles + lost[taken] - lost[self.taken],
            taken=taken,
        )

    def by(self, choices: Mapping[int, Choice]) -> SegmentChoice:
        """The same with the steps that lead to these choices of its calls."""
        own = {call: way for call, way in choices.items() if self.first <= call <= self.last}
        numbers = range(len(self.steps.saved))
        return self.after(next(n for n in numbers if self.steps.choices(n) == own))

    @property
    def least(self) -> int:
        """The bytes with all steps taken."""
        return self.bytes - self.steps.saved[-1] + self.steps.saved[self.taken]


def layer_by_layer(schedule: Schedule) -> Cut:
    """Every call a segment of its own."""
    return Cut(tuple(Segment(n, n) for n in range(len(schedule.calls))))


def segment_choices(
    schedule: Schedule, target: Target, *, push: bool, cached: bool = False
) -> list[SegmentChoice]:
    """All segments that can be, layer by layer or by bands of one row.

    With `cached`, which is for those who have RAM enough, bands only from where a buffer is too
    large for the caches to where the last one is read: elsewhere they gain nothing.
    """
    found = []
    rows = dict.fromkeys(range(len(schedule.calls)), 1)
    large = _large_calls(schedule, target) if cached else [*rows]
    costs: dict[int, _Cost] = {}
    for first in range(len(schedule.calls)):
        pushed = push and first == 0
        if not pushed:
            found.append(_whole(schedule, target, first))
        if first not in large and not pushed:
            continue
        stream = flood(
            schedule, first, rows, push=pushed, end=len(rows) if pushed else large[-1] + 1
        )
        cycles, again, scratch, steps = 0.0, 0.0, 0, GrowingSteps()
        for last in range(first, stream.end if stream else first):
            assert stream is not None
            if last not in costs:
                costs[last] = _banded_cost(schedule, target, last)
            cycles += costs[last].cycles
            again += costs[last].again
            scratch += costs[last].scratch
            lean = steps.add(costs[last].steps)
            if last < stream.least:
                continue
            part = stream.banding(last)
            needed = scratch + _alive(schedule, first, last, part, target.alignment)
            missed = _missed(schedule, first, last, part, target)
            if again and _weights(schedule, first, last) > target.cache_l2 // 2:
                missed += again
            total = cycles + missed * target.cache_miss
            found.append(SegmentChoice(part, first, last, needed, total, lean))
    return found


def _large_calls(schedule: Schedule, target: Target) -> list[int]:
    """The calls that read or write a buffer that is too large for the caches."""
    return [
        number
        for number, call in enumerate(schedule.calls)
        if any(
            _is_large(schedule.home(value).bytes, target)
            for value in (*call.reads.values(), call.node.name)
        )
    ]


def _is_large(size: int, target: Target) -> bool:
    """Whether a buffer leaves too little of the second-level cache to what is used beside it."""
    return size > target.cache_l2 * 3 // 4


@dataclass(frozen=True)
class _Cost:
    """A call by bands of one row: bytes `again` are of weights that all bands read."""

    cycles: float
    again: float
    scratch: int
    steps: Sequence[LeanStep]


def _banded_cost(schedule: Schedule, target: Target, call: int) -> _Cost:
    layer, bands = banded_call(schedule, call, 1)
    cycles = layer_cycles(schedule.calls[call].kernel, layer, bands, target)
    again, steps = float(bands * weights_bytes(layer)), lean_steps(schedule, call, layer, bands)
    return _Cost(cycles, again, _scratch(schedule, call, layer), steps)


def _scratch(schedule: Schedule, call: int, layer: Layer) -> int:
    """Bytes that a call needs for itself, as they are placed."""
    kernel, target = schedule.calls[call].kernel, schedule.target
    return round_up(scratch_bytes(kernel, layer, target, schedule.threads), target.alignment)


def _missed(
    schedule: Schedule, first: int, last: int, part: Banding | None, target: Target
) -> float:
    """Bytes that calls `first` to `last` read which the caches have lost since they were written.

    Those of buffers that take most of the second-level cache; rings are far smaller.
    """
    rings = set() if part is None else {ring.buffer for ring in part.rings}
    lodging = set() if part is None else {g for ring in part.rings for g in ring.guests}
    missed = 0
    for call in schedule.calls[first : last + 1]:
        for value in call.reads.values():
            home = schedule.home(value)
            held = home.name in rings or value in lodging
            if not held and _is_large(home.bytes, target):
                missed += schedule.values[value].type.bytes
    return missed


def _weights(schedule: Schedule, first: int, last: int) -> int:
    return sum(weights_bytes(call.layer) for call in schedule.calls[first : last + 1])


def _whole(schedule: Schedule, target: Target, call: int) -> SegmentChoice:
    segment = Segment(call, call)
    rows = call_height(schedule.calls[call])
    layer, bands = banded_call(schedule, call, rows)
    needed = _scratch(schedule, call, layer)
    needed += _alive(schedule, call, call, None, target.alignment)
    cycles = layer_cycles(schedule.calls[call].kernel, layer, bands, target)
    missed = _missed(schedule, call, call, None, target)
    steps = GrowingSteps().add(lean_steps(schedule, call, layer, bands))
    return SegmentChoice(segment, call, call, needed, cycles + missed * target.cache_miss, steps)


def weights_bytes(layer: Layer) -> int:
    """Bytes of a layer's constants."""
    return sum(layer.operands[letter].bytes for letter in layer.constant)


def layer_cycles(kernel: Kernel, layer: Layer, bands: int, target: Target) -> float:
    """Estimated cycles of a layer that is computed in so many bands; each reads all weights."""
    weights = weights_bytes(layer)
    # From the second-level cache at 32 bytes a cycle, where they do not stay in the first.
    again = weights / 32 if weights > target.cache_l1 // 2 else 0.0
    # A band does not change what a kernel states: that is then the cost of all bands together.
    whole = kernel.cost(layer, target) * (1 if layer.band is not None else bands)
    return whole + bands * (_CALL + again)


def _alive(schedule: Schedule, first: int, last: int, part: Banding | None, alignment: int) -> int:
    """Bytes of the buffers that live through calls `first` to `last`, rings included."""
    rings = {} if part is None else {ring.buffer: ring for ring in part.rings}
    lodging = {schedule.home(guest).name for ring in rings.values() for guest in ring.guests}
    total = 0
    for name, buffer in schedule.buffers.items():
        if buffer.in_arena and name not in rings and name not in lodging:
            alive = buffer.first <= last and buffer.last >= first
            total += round_up(buffer.bytes, alignment) if alive else 0
    for name, ring in rings.items():
        total += round_up(ring.bytes(schedule.buffers[name]), alignment)
    return total - _saved(schedule, first, part)


def _saved(schedule: Schedule, first: int, part: Banding | None) -> int:
    """The most that results can save by standing on operands, were all of them to do so."""
    pairs: list[tuple[str, str, int]] = []
    if part is None:
        call = schedule.calls[first]
        for letter, distance in call.kernel.overlap(call.layer).items():
            operand, result = schedule.home(call.reads[letter]), schedule.home(call.node.name)
            if operand.last == first == result.first and operand.kind == result.kind == "arena":
                pairs.append((call.reads[letter], call.node.name, distance))
    else:
        pairs = [(trail.operand, trail.result, trail.distance) for trail in part.trails]
    saved = 0
    for operand_value, result_value, distance in pairs:
        x, y = schedule.home(operand_value).bytes, schedule.home(result_value).bytes
        saved += max(x + y - max(max(distance, 0) + x, y), 0)
    return saved


def fastest(found: Sequence[SegmentChoice], calls: int, budget: float) -> Cut | None:
    """The cut with the least time of which no segment needs more than the budget; None: none."""
    taken = fastest_parts(found, calls, budget)
    return None if taken is None else cut_of(taken)


def fastest_parts(
    found: Sequence[SegmentChoice], calls: int, budget: float
) -> list[SegmentChoice] | None:
    """Its segments, each with the steps to less scratch that it must take."""
    return _path(_within(found, budget), calls, lambda so_far, choice: so_far + _price(choice))


def _within(found: Sequence[SegmentChoice], budget: float) -> list[SegmentChoice]:
    fitting = (choice.within(budget) for choice in found)
    return [choice for choice in fitting if choice is not None]


def cut_of(taken: Sequence[SegmentChoice]) -> Cut:
    """The cut that segments make, in order."""
    choices = [each.steps.choices(each.taken) for each in taken]
    merged = {call: choice for each in choices for call, choice in each.items()}
    return Cut(tuple(each.part for each in taken), merged)


def _price(choice: SegmentChoice) -> float:
    """Cycles; of equals less memory is better."""
    return choice.cycles + choice.bytes * (choice.last + 1 - choice.first) * _BYTE


def smallest(found: Sequence[SegmentChoice], calls: int) -> Cut | None:
    """The cut whose worst segment needs least, and among those with that worst the fastest."""
    taken = smallest_parts(found, calls)
    return None if taken is None else cut_of(taken)


def smallest_parts(found: Sequence[SegmentChoice], calls: int) -> list[SegmentChoice] | None:
    """Its segments, each with the steps to less scratch that it must take."""
    worst = _path_cost(found, calls, lambda so_far, choice: max(so_far, choice.least))
    return fastest_parts(found, calls, worst)


def other_parts(
    found: Sequence[SegmentChoice], calls: int, budget: float
) -> list[list[SegmentChoice]]:
    """Other cuts within a budget: of the fewest bytes in all, of most and of fewest segments."""
    fitting = _within(found, budget)
    costs: tuple[Callable[[float, SegmentChoice], float], ...] = (
        lambda so_far, choice: so_far + choice.bytes * (choice.last + 1 - choice.first),
        lambda so_far, _: so_far - 1,
        lambda so_far, _: so_far + 1,
    )
    return [parts for cost in costs if (parts := _path(fitting, calls, cost)) is not None]


def _path(
    found: Sequence[SegmentChoice], calls: int, add: Callable[[float, SegmentChoice], float]
) -> list[SegmentChoice] | None:
    """The cheapest sequence of choices from the first call to the last; of equals the simplest.

    That has short segments, and whole layers where bands are as cheap.
    """
    best: list[tuple[float, SegmentChoice | None]] = [
        (float("inf"), None) for _ in range(calls + 1)
    ]
    best[0] = (0.0, None)
    for choice in sorted(found, key=lambda c: (c.first, c.last, isinstance(c.part, Segment))):
        cost = add(best[choice.first][0], choice)
        least = best[choice.last + 1][0]
        if cost <= least + abs(cost) * _ROUNDING and cost < float("inf"):
            best[choice.last + 1] = (cost, choice)
    parts: list[SegmentChoice] = []
    end = calls
    while end > 0:
        last = best[end][1]
        if last is None:
            return None
        parts.insert(0, last)
        end = last.first
    return parts


def _path_cost(
    found: Sequence[SegmentChoice], calls: int, add: Callable[[float, SegmentChoice], float]
) -> float:
    best = [0.0] + [float("inf")] * calls
    for choice in sorted(found, key=lambda c: (c.first, c.last)):
        best[choice.last + 1] = min(best[choice.last + 1], add(best[choice.first], choice))
    return best[calls]
