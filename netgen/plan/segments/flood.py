"""Segments of a schedule: which buffers become rings, and how high they must be.

A buffer whose values are made and read inside one segment holds only the rows that wait there. A
depthwise convolution that is the only reader of its operand writes each row into the slot of the
oldest row that it reads, a few pixels before it (`Slots.shift`): by then those pixels are dead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from netgen.ir.rows import is_image
from netgen.ops.window import slides_by_channel
from netgen.plan.data.plan import Buffer, Segment, Slots
from netgen.plan.schedule.calls import Call
from netgen.plan.schedule.schedule import Schedule
from netgen.plan.segments.row_watch import Guest, Trail, Watch
from netgen.plan.segments.waiting_rows import Flow, Stream


@dataclass(frozen=True)
class Ring:
    """A buffer as a ring of `rows` slots; `guests` are values that use the slots of its rows."""

    buffer: str
    rows: int
    margin: int = 0
    guests: Mapping[str, Slots] = field(default_factory=dict)

    def bytes(self, buffer: Buffer) -> int:
        """Bytes of the ring in place of the whole buffer."""
        pixels = self.rows * (buffer.row_pixels + self.margin)
        return buffer.element_bytes * pixels * buffer.pitch


@dataclass(frozen=True)
class Banding:
    """A segment executed band by band: heights of bands (`rows`), rings, trails, whether pushed."""

    segment: Segment
    rows: Mapping[int, int]
    rings: tuple[Ring, ...]
    trails: tuple[Trail, ...]
    push: bool


@dataclass(frozen=True)
class Flood:
    """Bands from call `first` on, as far as rows flow: all segments that start there are in it.

    What waits in a ring does not depend on what comes behind its readers. A ring is `alone` where
    its guest outlives the segment, and has a buffer of its own. The segments end with call `least`
    or one behind it, before `end`.
    """

    schedule: Schedule
    stream: Stream
    rings: Mapping[str, Ring]
    alone: Mapping[str, Ring]
    trails: tuple[Trail, ...]
    least: int
    end: int
    push: bool

    def banding(self, last: int) -> Banding:
        """The segment that ends with call `last`."""
        first = self.stream.calls[0]
        rings = [
            ring if self._houses_guests(ring, last) else self.alone[name]
            for name, ring in self.rings.items()
            if self._last(name) <= last and self._maker(name) <= last
        ]
        lodging = {self._home(value) for ring in rings for value in ring.guests}
        held = {ring.buffer for ring in rings}
        return Banding(
            Segment(first, last),
            {n: self.stream.rows[n] for n in range(first, last + 1)},
            tuple(ring for ring in rings if ring.buffer not in lodging),
            tuple(t for t in self.trails if self._outlives(t, last, held)),
            self.push,
        )

    def _houses_guests(self, ring: Ring, last: int) -> bool:
        return all(self._last(self._home(value)) <= last for value in ring.guests)

    def _home(self, value: str) -> str:
        return self.schedule.home(value).name

    def _last(self, buffer: str) -> int:
        return self.schedule.buffers[buffer].last

    def _maker(self, buffer: str) -> int:
        first = self.schedule.buffers[buffer].first
        return first if self.schedule.buffers[buffer].kind == "arena" else 0

    def _outlives(self, trail: Trail, last: int, held: set[str]) -> bool:
        operand, result = self._home(trail.operand), self._home(trail.result)
        first = self.schedule.buffers[result].first
        return (
            self._last(operand) <= last < self._last(result)
            and first <= last
            and (result not in held)
        )


def flood(
    schedule: Schedule,
    first: int,
    rows: Mapping[int, int],
    *,
    push: bool,
    end: int | None = None,
) -> Flood | None:
    """Simulate bands from call `first` on; None where not even that call can be banded.

    With `end` no further than before that call.

    With `push`, None also where there is no one image, or not all of its readers can be banded.
    """
    image, *others = schedule.graph.inputs
    if push and (others or not is_image(image.type.shape)):
        return None
    least = schedule.home(image.name).last if push else first
    last = _reach(schedule, first, push=push)
    last = last if end is None else min(last, end - 1)
    if last < least:
        return None
    stream = Stream(schedule, first, last, rows, push=push)
    inner = _inner_buffers(schedule, stream)
    watch = Watch(schedule, stream, inner, _guests(schedule, stream, inner))
    for tick in stream.ticks():
        watch.see(tick)
    end = min([watch.clash, *(n for n in stream.calls if not watch.finishes(n)), last + 1])
    if end <= least:
        return None
    alone = {name: Ring(name, watch.rows(name, lodged=False)) for name in inner}
    rings = {name: _ring(watch, name) for name in watch.lodgers}
    return Flood(
        schedule, stream, {**alone, **rings}, alone, tuple(watch.trails()), least, end, push
    )


def _ring(watch: Watch, name: str) -> Ring:
    """A ring with its guest."""
    rows, lodger = watch.rows(name, lodged=True), watch.lodgers[name]
    slots = watch.guests[lodger].slots
    return Ring(name, rows, slots.shift, {lodger: replace(slots, first=slots.first % rows)})


def _reach(schedule: Schedule, first: int, *, push: bool) -> int:
    """The last call up to which rows can flow: until one needs all of what is made here."""
    made = {node.name for node in schedule.graph.inputs} if push else set()
    last = first - 1
    for n in range(first, len(schedule.calls)):
        call = schedule.calls[n]
        if call.kernel.by_rows == "none" or not is_image(call.layer.result.shape):
            break
        if call.node.name in schedule.views.assigned:
            break  # its rows take the place of a state's, which others may still read
        if push and schedule.home(call.node.name).kind == "output":
            break  # where the caller wants it is known only behind the last row
        whole = [value for a, value in call.reads.items() if schedule.reach(call, a) is None]
        if any(made & set(schedule.sources(value)) for value in whole):
            break
        last = n
        if call.node.op.sums_rows:
            break
        made.add(call.node.name)
    return last


def _inner_buffers(schedule: Schedule, stream: Stream) -> dict[str, list[Flow]]:
    """Buffers whose values are all made in the segment, with those values' flows."""
    inner: dict[str, list[Flow]] = {}
    for flow in stream.flows.values():
        name = schedule.values[flow.value].runs[0].buffer
        inner.setdefault(name, []).append(flow)
    return {
        name: flows
        for name, flows in inner.items()
        if _may_be_ring(schedule, stream, schedule.buffers[name], flows)
    }


def _may_be_ring(schedule: Schedule, stream: Stream, buffer: Buffer, flows: Sequence[Flow]) -> bool:
    pushed = any(flow.maker == -1 for flow in flows)
    if not pushed and (buffer.kind != "arena" or buffer.first < stream.calls[0]):
        return False
    shapes = [schedule.values[flow.value].type.shape for flow in flows]
    return all(
        is_image(shape) and shape[1] == flow.height == flows[0].height
        for shape, flow in zip(shapes, flows, strict=True)
    )


def _guests(
    schedule: Schedule, stream: Stream, inner: Mapping[str, list[Flow]]
) -> dict[str, Guest]:
    """Results of depthwise convolutions that use the slots of their operand's ring."""
    guests: dict[str, Guest] = {}
    for n in stream.calls:
        call = schedule.calls[n]
        op = call.node.op
        if not slides_by_channel(op) or "x" not in _overlaps(call):
            continue
        ring, home = schedule.home(call.reads["x"]).name, schedule.home(call.node.name).name
        if any(len(inner.get(name, ())) != 1 for name in (ring, home)):
            continue
        (host,), (flow,) = inner[ring], inner[home]
        if [reader.call for reader in host.readers] != [n] or not _goes_row_by_row(
            schedule, stream, host, flow
        ):
            continue
        window = op.window(call.layer.operands["w"].shape)
        if call.layer.result.shape[2] - window.pad[2] <= call.layer.operands["x"].shape[2]:
            slots = Slots(window.stride[0], -window.pad[0], window.pad[2])
            guests[call.node.name] = Guest(ring, slots)
    return guests


def _overlaps(call: Call) -> Mapping[str, int]:
    return call.kernel.overlap(call.layer)


def _goes_row_by_row(schedule: Schedule, stream: Stream, host: Flow, guest: Flow) -> bool:
    """Whether a guest is read row by row, and neither it nor its host goes by higher bands.

    A window looks for row i in slot i.
    """
    if stream.rows[host.maker] != 1 or stream.rows[guest.maker] != 1:
        return False
    return all(
        stream.rows[reader.call] == 1
        and (schedule.calls[reader.call].kernel.by_rows, reader.letter) != ("window", "x")
        for reader in guest.readers
    )
