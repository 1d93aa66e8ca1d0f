"""Outputs that take the place of operands: which are allowed, and which pay.

Overlapping buffers are merged into one shape before the arena is packed: in each segment it spans
those of them that are alive. A merge is taken back where that lowers what some segment needs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from netgen.plan.arena.greedy import packing, place
from netgen.plan.arena.shapes import Shape, Slice, extent, lower_bound, needs
from netgen.plan.data.alignment import round_up
from netgen.plan.data.plan import Buffer, Overlap
from netgen.plan.segments.cut_schedule import Banded
from netgen.plan.segments.row_watch import Trail


@dataclass(frozen=True)
class Merged:
    """Buffers that overlap: their offsets within one shape, and who is alive in which slice."""

    offsets: Mapping[str, int]
    shape: Shape
    alive: tuple[tuple[str, ...], ...]


def choose_overlaps(
    banded: Banded, alignment: int, *, any_order: bool = False
) -> tuple[list[Overlap], list[Merged]]:
    """The overlaps that the plan uses, and the rectangles they make.

    Those with the lowest bound, less those for which shapes cannot be packed as closely; with
    `any_order` none that needs rows to be computed one after the other.
    """
    lowest = lowest_overlaps(banded, alignment, any_order=any_order)
    chosen = _without_gap(banded, lowest, alignment)
    return chosen, merge(banded, chosen, alignment)


def lowest_overlaps(banded: Banded, alignment: int, *, any_order: bool = False) -> list[Overlap]:
    """The overlaps with the lowest bound.

    Operators that work in place do, unless that raises the bound; results trail operands that die
    row by row where that lowers it.
    """
    in_place = _in_place_calls(banded, alignment, any_order=any_order)
    chosen = _without_harm(banded, in_place, alignment)
    best = _needs(banded, chosen, alignment)
    trails = _trails(banded, alignment)
    while trails:
        needs = [
            (_needs(banded, [*chosen, trail], alignment), number)
            for number, trail in enumerate(trails)
            if _is_free(banded, chosen, trail)
        ]
        need, number = min(needs, default=(best, 0))
        if need >= best:
            break
        chosen, best = [*chosen, trails.pop(number)], need
    return chosen


def _without_harm(banded: Banded, chosen: list[Overlap], alignment: int) -> list[Overlap]:
    """Without those overlaps whose merged rectangles raise the bound."""
    best = _needs(banded, chosen, alignment)
    pending = list(chosen)
    while pending:
        overlap = pending.pop(0)
        without = [other for other in chosen if other != overlap]
        need = _needs(banded, without, alignment)
        if need < best:
            # Another merge may have become the bottleneck: all are looked at again.
            chosen, best, pending = without, need, list(without)
    return chosen


def _without_gap(banded: Banded, chosen: list[Overlap], alignment: int) -> list[Overlap]:
    """Without overlaps for which the shapes cannot be packed as closely as without them."""
    size, gap = _arena(banded, chosen, alignment)
    dropped: list[Overlap] = []
    for overlap in chosen if gap else ():
        without = [other for other in chosen if other != overlap]
        less, rest = _arena(banded, without, alignment)
        if less <= size and gap:
            chosen, size, gap, dropped = without, less, rest, [*dropped, overlap]
    for overlap in dropped:  # those that did no harm come back
        if _arena(banded, [*chosen, overlap], alignment) <= (size, gap):
            chosen = [*chosen, overlap]
    return sorted(chosen, key=lambda overlap: overlap.segment)


def _arena(banded: Banded, overlaps: Sequence[Overlap], alignment: int) -> tuple[int, int]:
    """Bytes of the arena, and how many of them the lower bound is below."""
    shapes = [merged.shape for merged in merge(banded, overlaps, alignment)]
    size = extent(shapes, place(packing(shapes)))
    return size, size - lower_bound(shapes)


def _is_free(banded: Banded, chosen: Sequence[Overlap], trail: Overlap) -> bool:
    """Whether nothing stands on the operand yet, nor the result on anything."""
    taken = {_buffer(banded, overlap.operand).name for overlap in chosen}
    stands = {_buffer(banded, overlap.result).name for overlap in chosen}
    operand, result = _buffer(banded, trail.operand), _buffer(banded, trail.result)
    return operand.name not in taken and result.name not in stands


def _needs(banded: Banded, overlaps: Sequence[Overlap], alignment: int) -> list[int]:
    """Bytes alive in each segment, the most first: several may be equally in need."""
    shapes = [merged.shape for merged in merge(banded, overlaps, alignment)]
    return sorted(needs(shapes), reverse=True)


def _in_place_calls(banded: Banded, alignment: int, *, any_order: bool) -> list[Overlap]:
    """At most one overlap per call, over an operand in the arena that is read last there."""
    found = []
    for number, segment in enumerate(banded.segments):
        in_order = banded.schedule.calls[segment.first].kernel.in_order
        if banded.whole(segment.first) and not (any_order and in_order):
            found += _in_place(banded, number, segment.first, alignment)
    return found


def _trails(banded: Banded, alignment: int) -> list[Overlap]:
    """Results of segments that may stand on operands whose rows die meanwhile."""
    found = []
    for part in banded.bandings:
        number = banded.segments.index(part.segment)
        for trail in part.trails:
            distance = round_up(max(trail.distance, 0), alignment)
            if _gain(banded, trail, distance) > 0:
                found.append(Overlap(number, trail.operand, trail.result, distance))
    return found


def _in_place(banded: Banded, number: int, index: int, alignment: int) -> list[Overlap]:
    """The overlaps that the kernel of a call allows by itself."""
    call = banded.schedule.calls[index]
    output = _buffer(banded, call.node.name)
    allowed = call.kernel.overlap(call.layer)
    for letter, distance in allowed.items():
        operand = _buffer(banded, call.reads[letter])
        others = [a for a, value in call.reads.items() if _buffer(banded, value) is operand]
        dying = operand.last == number == output.first
        if dying and operand.kind == output.kind == "arena" and set(others) <= set(allowed):
            # Whole pixels, since a kernel may go through the channels in an outer loop.
            step = math.lcm(alignment, output.element_bytes * output.pitch)
            value, result = call.reads[letter], call.node.name
            return [Overlap(number, value, result, round_up(distance, step))]
    return []


def _gain(banded: Banded, trail: Trail, distance: int) -> int:
    """Bytes that a trail saves while both of its buffers are alive."""
    operand, result = _buffer(banded, trail.operand).bytes, _buffer(banded, trail.result).bytes
    return operand + result - max(distance + operand, result)


def _buffer(banded: Banded, value: str) -> Buffer:
    return banded.schedule.buffers[banded.schedule.values[value].runs[0].buffer]


def merge(banded: Banded, overlaps: Sequence[Overlap], alignment: int) -> list[Merged]:
    """Rectangles of all arena buffers; offsets within a rectangle start at 0."""
    groups: dict[str, dict[str, int]] = {
        b.name: {b.name: 0} for b in banded.schedule.buffers.values() if b.kind == "arena"
    }
    for overlap in overlaps:
        operand = _buffer(banded, overlap.operand).name
        output = _buffer(banded, overlap.result).name
        group = groups[operand]
        start = group[operand] - overlap.distance
        for name, offset in groups[output].items():
            group[name] = start + offset
        for name in groups[output]:
            groups[name] = group
        groups[output] = group
    return [
        _merged(banded, group, alignment) for group in {id(g): g for g in groups.values()}.values()
    ]


def _merged(banded: Banded, group: Mapping[str, int], alignment: int) -> Merged:
    """The slices of a group of buffers: a new one begins where a buffer is born or has died."""
    buffers = [banded.schedule.buffers[name] for name in group]
    times = sorted({b.first for b in buffers} | {b.last + 1 for b in buffers})
    slices, alive = [], []
    for begin, end in pairwise(times):
        there = [b for b in buffers if b.first <= begin and b.last >= begin]
        low = min(group[b.name] for b in there)
        high = max(group[b.name] + b.bytes for b in there)
        slices.append(Slice(begin, end - 1, low, low + round_up(high - low, alignment)))
        alive.append(tuple(b.name for b in there))
    return Merged(dict(group), Shape(tuple(slices)), tuple(alive))
