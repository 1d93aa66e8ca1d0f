"""Observers of a segment's simulation: rings, trails, and rows that take the place of others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from netgen.ir.rows import is_image
from netgen.plan.data.plan import Slots
from netgen.plan.schedule.schedule import Schedule
from netgen.plan.segments.waiting_rows import Flow, Stream, Tick


@dataclass(frozen=True)
class Trail:
    """A result may start `distance` bytes before an operand whose rows die while it is written.

    Both stand for their whole buffers.
    """

    operand: str
    result: str
    distance: int


@dataclass(frozen=True)
class Guest:
    """The slots of its operand's `ring` that the result of a depthwise convolution uses."""

    ring: str
    slots: Slots


class Watch:
    """Follows the bands of a segment and keeps what the rings and trails need.

    `inner` are the flows by buffers that may be rings, `guests` are by value.
    """

    def __init__(
        self,
        schedule: Schedule,
        stream: Stream,
        inner: Mapping[str, list[Flow]],
        guests: Mapping[str, Guest],
    ) -> None:
        self.schedule, self.stream, self.inner, self.guests = schedule, stream, inner, guests
        self.made = {flow.maker: flow for flow in stream.flows.values()}
        self.lodgers = {guest.ring: value for value, guest in guests.items()}
        self.by_buffer: dict[str, list[Flow]] = {}
        for flow in (*stream.outside.values(), *stream.flows.values()):
            self.by_buffer.setdefault(self._home(flow.value), []).append(flow)
        self.peak = dict.fromkeys(inner, 1)
        self.peak_alone = dict(self.peak)
        self.distance = dict.fromkeys(self._trail_pairs(), 0)
        self.last: dict[int, int] = {}
        self.places: dict[tuple[str, str], frozenset[int]] = {}
        # The first call that no segment of these may hold.
        self.clash = stream.calls[-1] + 1

    def finishes(self, call: int) -> bool:
        """Whether a call has computed all of its rows."""
        return self.last.get(call) == self.stream.heights[call]

    def see(self, tick: Tick) -> None:
        """Take note of a band that is about to be computed."""
        self.last[tick.call] = tick.end
        flow = self.made[tick.call]
        home = self._home(flow.value)
        if flow.value in self.guests:
            guest = self.guests[flow.value]
            self._stretch(guest.ring, tick, None, tick.first * guest.slots.step + guest.slots.first)
        if home in self.inner:
            self._stretch(home, tick, tick.end, None)
        self._see_clashes(flow, tick)
        for operand, result in self.distance:
            if result == home:
                self._trail(operand, result, tick)

    def _stretch(self, ring: str, tick: Tick, newest: int | None, slot: int | None) -> None:
        """Rows from the oldest that is needed to the newest, this band's included."""
        flows, done, heights = self.inner[ring], tick.done, self.stream.heights
        ends = [done[flow.maker] for flow in flows] + ([] if newest is None else [newest])
        oldest = min(flow.oldest(done, heights) for flow in flows)
        self.peak_alone[ring] = max(self.peak_alone[ring], max(ends) - oldest)
        if slot is not None:
            oldest = min(oldest, slot)
        lodger = self.lodgers.get(ring)
        if lodger is not None:
            slots, waiting = self.guests[lodger].slots, self.stream.flows[lodger]
            row = waiting.oldest(done, heights)
            if row < done[waiting.maker]:
                oldest = min(oldest, row * slots.step + slots.first)
        self.peak[ring] = max(self.peak[ring], max(ends) - oldest)

    def _see_clashes(self, flow: Flow, tick: Tick) -> None:
        """A band must not take places of rows that are still read, nor of rows of later values."""
        others = self.by_buffer[self._home(flow.value)]
        mine = self._places(flow.value, flow.value)
        for other in others:
            if other.maker > flow.maker:
                ahead = tick.done[other.maker] > tick.first
                if ahead and mine & self._places(other.value, other.value):
                    self.clash = min(self.clash, other.maker)
                continue
            for reader in other.readers if other is not flow else ():
                reach, done = reader.reach, tick.done[reader.call]
                oldest = 0 if reach is None else reach.begin(done, other.height)
                reads = done < self.stream.heights[reader.call] and oldest < tick.end
                view = self.schedule.calls[reader.call].reads[reader.letter]
                if reads and mine & self._places(other.value, view):
                    self.clash = min(self.clash, tick.call)

    def _places(self, source: str, view: str) -> frozenset[int]:
        """The places of the channels of a computed value that a view of it shows."""
        key = source, view
        if key not in self.places:
            places = self.schedule.places(source).tolist()
            if not self.schedule.views.is_recut(view):
                shown = self.schedule.views.sources[view]
                places = [places[channel] for name, channel in shown if name == source]
            self.places[key] = frozenset(places)
        return self.places[key]

    def _trail_pairs(self) -> Iterator[tuple[str, str]]:
        """Buffers read that were there before, and buffers whose first value is made here."""
        for operand in dict.fromkeys(self._home(value) for value in self.stream.outside):
            for n in self.stream.calls:
                result = self._home(self.made[n].value)
                if result != operand and self._may_trail(operand, result, n):
                    yield operand, result

    def _may_trail(self, operand: str, result: str, call: int) -> bool:
        x, y = self.schedule.buffers[operand], self.schedule.buffers[result]
        alike = x.kind == y.kind == "arena" and y.first == call
        return alike and all(
            is_image(self.schedule.values[flow.value].type.shape)
            for name in (operand, result)
            for flow in self.by_buffer[name]
        )

    def _trail(self, operand: str, result: str, tick: Tick) -> None:
        """Up to the end of this band, the result may stand only where no row is still used."""
        done, heights = tick.done, self.stream.heights
        flows = self.by_buffer[operand]
        needed = min(flow.oldest(done, heights) for flow in flows)
        needed = min([needed, *(done[flow.maker] for flow in flows if flow.maker >= 0)])
        if needed == max(flow.height for flow in flows):
            return
        x, y = self.schedule.buffers[operand], self.schedule.buffers[result]
        written = y.element_bytes * min(tick.end, y.rows) * y.row_pixels * y.pitch
        free = x.element_bytes * needed * x.row_pixels * x.pitch
        self.distance[operand, result] = max(self.distance[operand, result], written - free)

    def rows(self, ring: str, *, lodged: bool) -> int:
        """Slots of a ring: so many that no band of a maker or a reader goes over its end.

        A guest may need more than its host has rows.
        """
        flows = self.inner[ring]
        peak = self.peak[ring] if lodged else self.peak_alone[ring]
        bands = [self.stream.rows[flow.maker] for flow in flows]
        bands += [self.stream.rows[r.call] for flow in flows for r in flow.readers]
        whole = math.lcm(*bands)
        rows = -(-peak // whole) * whole
        return rows if lodged else min(rows, flows[0].height)

    def trails(self) -> list[Trail]:
        """The trails that are possible, as values that stand for their buffers."""
        return [
            Trail(self.by_buffer[operand][0].value, self.by_buffer[result][0].value, distance)
            for (operand, result), distance in self.distance.items()
        ]

    def _home(self, value: str) -> str:
        return self.schedule.home(value).name
