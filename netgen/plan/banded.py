"""A schedule cut into segments: rings in place of buffers, lives counted in segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from netgen.kernels.layer import Layer
from netgen.plan.bands import Banding, Ring
from netgen.plan.flow import call_height
from netgen.plan.layers import banded_layer
from netgen.plan.plan import Buffer, Run, Segment, Value
from netgen.plan.schedule import Schedule

# What one segment is: layer by layer, or band by band.
Cut = Sequence[Segment | Banding]


@dataclass(frozen=True)
class Banded:
    """The schedule with rings, its segments, and the layer that one call computes, by call.

    `rows` is the height of its bands. In `schedule` buffers live from segment to segment.
    """

    schedule: Schedule
    segments: tuple[Segment, ...]
    bandings: tuple[Banding, ...]
    layers: tuple[Layer, ...]
    rows: tuple[int, ...]

    def segment_of(self, call: int) -> int:
        """The segment that executes a call."""
        return next(n for n, s in enumerate(self.segments) if s.first <= call <= s.last)

    def whole(self, call: int) -> bool:
        """Whether one call, by itself, computes all of its result."""
        segment = self.segments[self.segment_of(call)]
        alone = segment.first == segment.last
        return alone and self.rows[call] == call_height(self.schedule.calls[call])


def cut_schedule(schedule: Schedule, cut: Cut) -> Banded:
    """Cut a schedule into segments, in the order of its calls."""
    bandings = tuple(part for part in cut if isinstance(part, Banding))
    segments = tuple(part.segment if isinstance(part, Banding) else part for part in cut)
    rings = {ring.buffer: ring for part in bandings for ring in part.rings}
    rows = [call_height(call) for call in schedule.calls]
    for part in bandings:
        for call, height in part.rows.items():
            rows[call] = height
    buffers = _buffers(schedule, segments, rings)
    values = {name: _value(value, rings) for name, value in schedule.values.items()}
    banded = replace(schedule, values=values, buffers=buffers)
    return Banded(banded, segments, bandings, _layers(banded, rows), tuple(rows))


def _buffers(
    schedule: Schedule, segments: Sequence[Segment], rings: Mapping[str, Ring]
) -> dict[str, Buffer]:
    """Rings with fewer rows, perhaps a margin; without the buffers of guests."""
    number = {n: i for i, s in enumerate(segments) for n in range(s.first, s.last + 1)}
    lodging = {
        schedule.values[guest].runs[0].buffer for ring in rings.values() for guest in ring.guests
    }
    buffers = {}
    for name, buffer in schedule.buffers.items():
        if name in lodging:
            continue
        first, last = number[buffer.first], number[buffer.last]
        ring = rings.get(name)
        if ring is None:
            buffers[name] = replace(buffer, first=first, last=last)
            continue
        row_pixels = buffer.row_pixels + ring.margin
        buffers[name] = replace(
            buffer,
            kind="arena",
            bytes=4 * ring.rows * row_pixels * buffer.pitch,
            rows=ring.rows,
            row_pixels=row_pixels,
            margin=ring.margin,
            first=first,
            last=last,
        )
    return buffers


def _value(value: Value, rings: Mapping[str, Ring]) -> Value:
    """A guest stands in its host's ring."""
    for ring in rings.values():
        if value.name in ring.guests:
            runs = tuple(
                Run(ring.buffer, run.first, run.channels, run.at, run.step) for run in value.runs
            )
            return replace(value, runs=runs, slots=ring.guests[value.name])
    return value


def _layers(schedule: Schedule, rows: Sequence[int]) -> tuple[Layer, ...]:
    return tuple(banded_call(schedule, n, height)[0] for n, height in enumerate(rows))


def banded_call(schedule: Schedule, call: int, rows: int) -> tuple[Layer, int]:
    """The layer of a call in bands of so many rows, and how many bands there are."""
    made = schedule.calls[call]
    x = made.reads.get("x")
    buffer = schedule.buffers[schedule.values[x].runs[0].buffer] if x is not None else None
    whole = call_height(made)
    return banded_layer(made.layer, made.kernel.by_rows, rows, whole, buffer), whole // rows
