"""A schedule cut into segments: rings in place of buffers, lives counted in segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from netgen.ir.tensor_type import ELEMENTS
from netgen.kernels.layer import Choice, Layer
from netgen.plan.data.plan import Buffer, Segment, Value
from netgen.plan.data.step_layer import banded_layer, slots_of
from netgen.plan.schedule.division import scratch_bytes
from netgen.plan.schedule.schedule import Schedule
from netgen.plan.segments.flood import Banding, Ring
from netgen.plan.segments.waiting_rows import call_height


@dataclass(frozen=True)
class Cut:
    """Segments in order, each layer by layer or band by band.

    `choices` are those of calls, by number, that do not keep their kernels' own.
    """

    parts: tuple[Segment | Banding, ...]
    choices: Mapping[int, Choice] = field(default_factory=dict)


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
        pushed = any(part.push and part.segment == segment for part in self.bandings)
        return alone and not pushed and self.rows[call] == call_height(self.schedule.calls[call])


def cut_schedule(schedule: Schedule, cut: Cut) -> Banded:
    """Cut a schedule into segments, in the order of its calls."""
    bandings = tuple(part for part in cut.parts if isinstance(part, Banding))
    segments = tuple(part.segment if isinstance(part, Banding) else part for part in cut.parts)
    rings = {ring.buffer: ring for part in bandings for ring in part.rings}
    rows = [call_height(call) for call in schedule.calls]
    for part in bandings:
        for call, height in part.rows.items():
            rows[call] = height
    buffers = _buffers(schedule, segments, rings)
    values = _values(schedule, rings)
    banded = replace(schedule, values=values, buffers=buffers)
    # With their choices: some take other scratch.
    layers = _tuned(schedule, _layers(banded, rows, cut.choices))
    scratch = _scratch(schedule, segments, layers)
    banded = replace(banded, buffers={**buffers, **scratch})
    return Banded(banded, segments, bandings, layers, tuple(rows))


def _buffers(
    schedule: Schedule, segments: Sequence[Segment], rings: Mapping[str, Ring]
) -> dict[str, Buffer]:
    """Rings with fewer rows, perhaps a margin; without the buffers of guests."""
    number = {n: i for i, s in enumerate(segments) for n in range(s.first, s.last + 1)}
    lodging = {schedule.home(guest).name for ring in rings.values() for guest in ring.guests}
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
            bytes=ring.bytes(buffer),
            rows=ring.rows,
            row_pixels=row_pixels,
            margin=ring.margin,
            first=first,
            last=last,
        )
    return buffers


def _scratch(
    schedule: Schedule, segments: Sequence[Segment], layers: Sequence[Layer]
) -> dict[str, Buffer]:
    """Memory of calls for themselves, alive in their segment from its first band to its last."""
    buffers = {}
    for number, segment in enumerate(segments):
        for n in range(segment.first, segment.last + 1):
            call = schedule.calls[n]
            size = scratch_bytes(call.kernel, layers[n], schedule.target, schedule.threads)
            element = ELEMENTS[call.kernel.scratch_element].bytes
            if size:
                buffers[call.scratch] = Buffer(
                    call.scratch,
                    "arena",
                    size,
                    element,
                    pitch=size // element,
                    first=number,
                    last=number,
                    offset=0,
                    rows=1,
                    row_pixels=1,
                )
    return buffers


def _values(schedule: Schedule, rings: Mapping[str, Ring]) -> dict[str, Value]:
    """A guest, and what views it, stands in its host's ring."""
    lodging = {
        schedule.home(guest).name: (ring.buffer, slots)
        for ring in rings.values()
        for guest, slots in ring.guests.items()
    }
    values = dict(schedule.values)
    for name, value in values.items():
        host, slots = lodging.get(schedule.home(name).name, ("", value.slots))
        if host:
            runs = tuple(replace(run, buffer=host) for run in value.runs)
            values[name] = replace(value, runs=runs, slots=slots)
    return values


def _layers(
    schedule: Schedule, rows: Sequence[int], choices: Mapping[int, Choice]
) -> tuple[Layer, ...]:
    layers = (banded_call(schedule, n, height)[0] for n, height in enumerate(rows))
    return tuple(
        replace(layer, choice=choices[n]) if n in choices else layer
        for n, layer in enumerate(layers)
    )


def _tuned(schedule: Schedule, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The layers of the calls with the choices of a tuning, if there is one."""
    tuning = schedule.tuning
    if tuning is None:
        return layers
    return tuple(
        tuning.apply(call.kernel, layer, schedule.target)
        for call, layer in zip(schedule.calls, layers, strict=True)
    )


def banded_call(schedule: Schedule, call: int, rows: int) -> tuple[Layer, int]:
    """The layer of a call in bands of so many rows, and how many bands there are."""
    made = schedule.calls[call]
    x, whole = made.reads.get("x"), call_height(made)
    slots = None
    if x is not None:
        recut = schedule.views.is_recut(x)
        slots = slots_of(schedule.values[x], None if recut else schedule.home(x))
    return banded_layer(made.layer, made.kernel.by_rows, rows, whole, slots), whole // rows
