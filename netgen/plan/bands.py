"""Segments of a schedule: which buffers become rings, and how high they must be.

A buffer whose values are made and read inside one segment holds only the rows that wait there. A
depthwise convolution that is the only reader of its operand writes each row into the slot of the
oldest row that it reads, a few pixels before it (`Slots.shift`): by then those pixels are dead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.plan.flow import Flow, Stream, Tick
from netgen.plan.plan import Buffer, Segment, Slots
from netgen.plan.reach import row_reach
from netgen.plan.schedule import Schedule


@dataclass(frozen=True)
class Ring:
    """A buffer as a ring of `rows` slots; `guests` are values that use the slots of its rows."""

    buffer: str
    rows: int
    margin: int
    guests: Mapping[str, Slots]


@dataclass(frozen=True)
class Trail:
    """A result may start `distance` bytes before an operand whose rows die while it is written."""

    operand: str
    result: str
    distance: int


@dataclass(frozen=True)
class Banding:
    """What executing the calls of a segment band by band comes to; `rows` is a band's height."""

    segment: Segment
    rows: Mapping[int, int]
    rings: tuple[Ring, ...]
    trails: tuple[Trail, ...]
    push: bool

    def ring_bytes(self, schedule: Schedule) -> int:
        """Bytes of all rings."""
        total = 0
        for ring in self.rings:
            buffer = schedule.buffers[ring.buffer]
            total += 4 * ring.rows * (buffer.row_pixels + ring.margin) * buffer.pitch
        return total


@dataclass(frozen=True)
class Flood:
    """Bands from call `first` on, as far as rows flow: all segments that start there are in it.

    What waits in a ring does not depend on what comes behind its readers.
    """

    schedule: Schedule
    stream: Stream
    rings: Mapping[str, Ring]
    trails: tuple[Trail, ...]
    end: int
    push: bool

    def banding(self, last: int) -> Banding:
        """The segment that ends with call `last`, which is before `end`."""
        first = self.stream.calls[0]
        rings = []
        for ring in self.rings.values():
            if self._last(ring.buffer) > last or self._maker(ring.buffer) > last:
                continue
            guests = {
                value: slots
                for value, slots in ring.guests.items()
                if self._last(self._home(value)) <= last
            }
            rings.append(replace(ring, guests=guests, margin=ring.margin if guests else 0))
        lodging = {self._home(value) for ring in rings for value in ring.guests}
        held = {ring.buffer for ring in rings}
        return Banding(
            Segment(first, last),
            {n: self.stream.rows[n] for n in range(first, last + 1)},
            tuple(ring for ring in rings if ring.buffer not in lodging),
            tuple(t for t in self.trails if self._outlives(t, last, held)),
            self.push,
        )

    def _home(self, value: str) -> str:
        return self.schedule.values[value].runs[0].buffer

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


def flood(schedule: Schedule, first: int, rows: Mapping[int, int], *, push: bool) -> Flood | None:
    """Simulate bands from call `first` on; None where not even that call can be banded."""
    last = _reach(schedule, first, push=push)
    if last < first:
        return None
    stream = Stream(schedule, first, last, rows, push=push)
    inner = _inner_buffers(schedule, stream)
    watch = _Watch(schedule, stream, inner, _guests(schedule, stream, inner))
    for tick in stream.ticks():
        watch.see(tick)
    end = min([watch.clash, *(n for n in stream.calls if not watch.finishes(n)), last + 1])
    rings = {ring.buffer: ring for ring in watch.rings()}
    return Flood(schedule, stream, rings, tuple(watch.trails()), end, push) if end > first else None


def _reach(schedule: Schedule, first: int, *, push: bool) -> int:
    """The last call up to which rows can flow: until one needs all of what is made here."""
    made = {node.name for node in schedule.graph.inputs} if push else set()
    last = first - 1
    for n in range(first, len(schedule.calls)):
        call = schedule.calls[n]
        if call.kernel.by_rows == "none" or len(call.layer.result.shape) != 4:
            break
        reaches = {
            a: row_reach(call.node.op, a, call.layer.operands, call.layer.result)
            for a in call.reads
        }
        whole = [a for a, value in call.reads.items() if reaches[a] is None]
        if any(made & set(schedule.sources(call.reads[a])) for a in whole):
            break
        last = n
        if isinstance(call.node.op, GlobalAvgPool):
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
        len(shape) == 4 and shape[1] == flow.height == flows[0].height
        for shape, flow in zip(shapes, flows, strict=True)
    )


def _guests(
    schedule: Schedule, stream: Stream, inner: Mapping[str, list[Flow]]
) -> dict[str, tuple[str, Slots]]:
    """Results of depthwise convolutions that use the slots of their operand's ring."""
    guests: dict[str, tuple[str, Slots]] = {}
    for n in stream.calls:
        call = schedule.calls[n]
        if not isinstance(call.node.op, DepthwiseConv2d) or stream.rows[n] != 1:
            continue
        x, y = call.reads["x"], call.node.name
        ring, home = (schedule.values[value].runs[0].buffer for value in (x, y))
        if "x" not in call.kernel.overlap(call.layer) or home in {g[0] for g in guests.values()}:
            continue
        if any(len(inner.get(name, ())) != 1 for name in (ring, home)):
            continue
        (flow,) = inner[ring]
        if [reader.call for reader in flow.readers] != [n] or stream.rows[flow.maker] != 1:
            continue
        window = call.node.op.window(call.layer.operands["w"].shape)
        if call.layer.result.shape[2] - window.pad[2] <= call.layer.operands["x"].shape[2]:
            guests[y] = ring, Slots(window.stride[0], -window.pad[0], window.pad[2])
    return guests


class _Watch:
    """Follows the bands of a segment and keeps what the rings and trails need."""

    def __init__(
        self,
        schedule: Schedule,
        stream: Stream,
        inner: Mapping[str, list[Flow]],
        guests: Mapping[str, tuple[str, Slots]],
    ) -> None:
        self.schedule, self.stream, self.inner, self.guests = schedule, stream, inner, guests
        self.peak = dict.fromkeys(inner, 1)
        self.homes = {flow.value: name for name, flows in inner.items() for flow in flows}
        self.lodgers = {ring: value for value, (ring, _) in guests.items()}
        self.pairs = self._trail_pairs()
        self.distance = dict.fromkeys(self.pairs, 0)
        self.last: dict[int, int] = {}
        self.clash = stream.calls[-1] + 1

    def finishes(self, call: int) -> bool:
        """Whether a call has computed all of its rows."""
        return self.last.get(call) == self.stream.heights[call]

    def see(self, tick: Tick) -> None:
        """Take note of a band that is about to be computed."""
        self.last[tick.call] = tick.end
        flow = self._made(tick.call)
        home = self.homes.get(flow.value)
        if flow.value in self.guests:
            ring, slots = self.guests[flow.value]
            self._stretch(ring, tick, None, tick.first * slots.step + slots.first)
        elif home is not None:
            self._stretch(home, tick, tick.end, None)
            if self._meets(flow, tick):
                self.clash = min(self.clash, tick.call)
        for operand, result in self.pairs:
            if result == flow.value:
                self._trail(operand, result, tick)

    def _made(self, call: int) -> Flow:
        return next(flow for flow in self.stream.flows.values() if flow.maker == call)

    def _stretch(self, ring: str, tick: Tick, newest: int | None, slot: int | None) -> None:
        """Rows from the oldest that is needed to the newest, this band's included."""
        flows, done, heights = self.inner[ring], tick.done, self.stream.heights
        ends = [done[flow.maker] for flow in flows] + ([] if newest is None else [newest])
        oldest = min(flow.oldest(done, heights) for flow in flows)
        if slot is not None:
            oldest = min(oldest, slot)
        guest = self.lodgers.get(ring)
        if guest is not None:
            _, slots = self.guests[guest]
            waiting = self.stream.flows[guest]
            row = waiting.oldest(done, heights)
            if row < done[waiting.maker]:
                oldest = min(oldest, row * slots.step + slots.first)
        self.peak[ring] = max(self.peak[ring], max(ends) - oldest)

    def _meets(self, flow: Flow, tick: Tick) -> bool:
        """Whether a band takes places of another value's channels that some call still reads."""
        mine = set(self._places(flow.value))
        for other in self.inner[self.homes[flow.value]]:
            if other is flow or not mine & set(self._places(other.value)):
                continue
            needed = other.oldest(tick.done, self.stream.heights)
            if needed < min(tick.end, tick.done[other.maker]):
                return True
        return False

    def _places(self, value: str) -> list[int]:
        return [
            run.first + c for run in self.schedule.values[value].runs for c in range(run.channels)
        ]

    def _trail_pairs(self) -> list[tuple[str, str]]:
        """Operands from before, and results that are the first in their buffers."""
        return [
            (operand, result)
            for operand in self.stream.outside
            for n in self.stream.calls
            if self._is_image(operand)
            and self._is_image(result := self.schedule.calls[n].node.name)
            and self._buffer(result).first == n
        ]

    def _is_image(self, value: str) -> bool:
        return self._buffer(value).kind == "arena" and len(self._shape(value)) == 4

    def _buffer(self, value: str) -> Buffer:
        return self.schedule.buffers[self.schedule.values[value].runs[0].buffer]

    def _shape(self, value: str) -> tuple[int, ...]:
        return self.schedule.values[value].type.shape

    def _trail(self, operand: str, result: str, tick: Tick) -> None:
        x, y = self._buffer(operand), self._buffer(result)
        needed = self.stream.outside[operand].oldest(tick.done, self.stream.heights)
        written = 4 * tick.end * y.row_pixels * y.pitch
        free = 4 * needed * x.row_pixels * x.pitch
        if needed == self.stream.outside[operand].height:
            return  # nothing of the operand is read any more
        key = (operand, result)
        self.distance[key] = max(self.distance[key], written - free)

    def rings(self) -> list[Ring]:
        rings = []
        for name, flows in self.inner.items():
            guest = self.lodgers.get(name)
            rows = self._whole_bands(flows, self.peak[name])
            if rows >= flows[0].height and guest is None:
                rows = flows[0].height
            guests: dict[str, Slots] = {}
            if guest is not None:
                _, slots = self.guests[guest]
                guests = {guest: replace(slots, first=slots.first % rows)}
            margin = max((slots.shift for slots in guests.values()), default=0)
            rings.append(Ring(name, rows, margin, guests))
        return rings

    def _whole_bands(self, flows: Sequence[Flow], rows: int) -> int:
        """At least `rows`, so that no band of a maker or a reader goes over the ring's end."""
        bands = [self.stream.rows[flow.maker] for flow in flows]
        bands += [self.stream.rows[r.call] for flow in flows for r in flow.readers]
        whole = math.lcm(*bands)
        return -(-rows // whole) * whole

    def trails(self) -> list[Trail]:
        return [Trail(operand, result, d) for (operand, result), d in self.distance.items()]
