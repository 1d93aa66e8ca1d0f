"""Outputs that take the place of operands: which are allowed, and which pay.

Overlapping buffers are merged into one rectangle before the arena is packed. A merged rectangle
lives as long as all its buffers and is as large as their union, so merging is not always a gain:
a merge is taken back where that lowers the bound of the arena.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netgen.plan.arena import Block, lower_bound
from netgen.plan.plan import Buffer, Overlap
from netgen.plan.schedule import Schedule


@dataclass(frozen=True)
class Merged:
    """A rectangle of the packing: offsets of its buffers within it, its size and life."""

    offsets: Mapping[str, int]
    block: Block


def round_up(number: int, multiple: int) -> int:
    """The next multiple."""
    return -(-number // multiple) * multiple


def choose_overlaps(schedule: Schedule, alignment: int) -> tuple[list[Overlap], list[Merged]]:
    """The overlaps that the plan uses, and the rectangles they make."""
    chosen = _candidates(schedule, alignment)
    best = _bound(schedule, chosen, alignment)
    pending = list(chosen)
    while pending:
        overlap = pending.pop(0)
        without = [other for other in chosen if other != overlap]
        bound = _bound(schedule, without, alignment)
        if bound < best:
            # Another merge may have become the bottleneck: all are looked at again.
            chosen, best, pending = without, bound, list(without)
    return chosen, merge(schedule, chosen, alignment)


def _bound(schedule: Schedule, overlaps: Sequence[Overlap], alignment: int) -> int:
    return lower_bound([m.block for m in merge(schedule, overlaps, alignment)])


def _candidates(schedule: Schedule, alignment: int) -> list[Overlap]:
    """At most one overlap per step: an operand in the arena that this step reads last."""
    found = []
    for index, call in enumerate(schedule.calls):
        output = _buffer(schedule, call.node.name)
        for letter, distance in call.kernel.overlap(call.layer).items():
            operand = _buffer(schedule, call.reads[letter])
            others = [a for a, value in call.reads.items() if _buffer(schedule, value) is operand]
            dying = operand.last == index and operand.kind == output.kind == "arena"
            alone = all(a in call.kernel.overlap(call.layer) for a in others)
            if dying and alone:
                # Whole pixels, since a kernel may go through the channels in an outer loop.
                step = math.lcm(alignment, 4 * output.pitch)
                found.append(Overlap(index, letter, round_up(distance, step)))
                break
    return found


def _buffer(schedule: Schedule, value: str) -> Buffer:
    (run,) = schedule.values[value].runs
    return schedule.buffers[run.buffer]


def merge(schedule: Schedule, overlaps: Sequence[Overlap], alignment: int) -> list[Merged]:
    """Rectangles of all arena buffers; offsets within a rectangle start at 0."""
    groups: dict[str, dict[str, int]] = {
        b.name: {b.name: 0} for b in schedule.buffers.values() if b.kind == "arena"
    }
    for overlap in overlaps:
        call = schedule.calls[overlap.step]
        operand = _buffer(schedule, call.reads[overlap.letter]).name
        output = _buffer(schedule, call.node.name).name
        group = groups[operand]
        start = group[operand] - overlap.distance
        for name, offset in groups[output].items():
            group[name] = start + offset
        for name in groups[output]:
            groups[name] = group
        groups[output] = group
    merged = []
    for group in {id(g): g for g in groups.values()}.values():
        buffers = [schedule.buffers[name] for name in group]
        lowest = min(group.values())
        size = max(group[b.name] - lowest + b.bytes for b in buffers)
        block = Block(
            round_up(size, alignment), min(b.first for b in buffers), max(b.last for b in buffers)
        )
        merged.append(Merged({name: at - lowest for name, at in group.items()}, block))
    return merged
