"""Rows that are pushed through a run of calls: how many of each value wait at a time.

The simulation follows the rule of execution (the call furthest down whose rows are there goes
first) and finds how many rows each buffer must hold, and how far before an operand, whose rows die
one after the other, a result may start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from netgen.ir.rows import Reach
from netgen.plan.schedule.calls import Call
from netgen.plan.schedule.schedule import Schedule


@dataclass
class Reader:
    """A call that reads rows of a value, as an operand; without a reach it needs all of them."""

    call: int
    letter: str
    reach: Reach | None


@dataclass
class Flow:
    """A value whose rows flow: the call that makes them (-1: they are pushed), its readers."""

    value: str
    maker: int
    height: int
    readers: list[Reader] = field(default_factory=list)

    def oldest(self, done: Mapping[int, int], heights: Mapping[int, int]) -> int:
        """The first row that some call still needs; its height when none does."""
        oldest = self.height
        for reader in self.readers:
            if done[reader.call] < heights[reader.call]:
                reach = reader.reach
                begin = 0 if reach is None else reach.begin(done[reader.call], self.height)
                oldest = min(oldest, begin)
        return oldest


@dataclass(frozen=True)
class Tick:
    """Call `call` is about to compute rows up to `end`; how many rows all have done before."""

    call: int
    first: int
    end: int
    done: Mapping[int, int]


class Stream:
    """Calls `first` to `last` of a schedule, executed band by band.

    `rows` is the height of the bands by call. With `push`, the input's rows arrive one by one.
    """

    def __init__(
        self, schedule: Schedule, first: int, last: int, rows: Mapping[int, int], *, push: bool
    ) -> None:
        self.schedule = schedule
        self.calls = range(first, last + 1)
        self.rows = dict(rows)
        self.heights = {n: call_height(schedule.calls[n]) for n in self.calls}
        self.flows = {
            schedule.calls[n].node.name: Flow(schedule.calls[n].node.name, n, self.heights[n])
            for n in self.calls
        }
        self.outside: dict[str, Flow] = {}
        if push:
            (image,) = schedule.graph.inputs
            self.heights[-1], self.rows[-1] = image.type.shape[1], 1
            self.flows[image.name] = Flow(image.name, -1, image.type.shape[1])
        self.needs: dict[int, list[tuple[Flow, Reach | None]]] = {n: [] for n in self.calls}
        for n in self.calls:
            self._connect(n, schedule.calls[n])

    def _connect(self, n: int, call: Call) -> None:
        for letter, value in call.reads.items():
            reach = self.schedule.reach(call, letter)
            for source in self.schedule.sources(value):
                flow = self.flows.get(source)
                if flow is None:
                    height = self.schedule.values[source].rows
                    flow = self.outside.setdefault(source, Flow(source, -2, height))
                else:
                    self.needs[n].append((flow, reach))
                flow.readers.append(Reader(n, letter, reach))

    def ticks(self) -> Iterator[Tick]:
        """All bands in the order of execution; -1 is a pushed row."""
        done = dict.fromkeys(self.heights, 0)
        order = sorted(self.heights, reverse=True)
        readers = {
            flow.maker: {r.call for r in flow.readers} | {flow.maker}
            for flow in self.flows.values()
        }
        ready = {n for n in order if n >= 0 and self._ready(n, done)}
        while True:
            if ready:
                n = max(ready)
            elif -1 in done and done[-1] < self.heights[-1]:
                n = -1
            else:
                return
            end = done[n] + self.rows[n]
            yield Tick(n, done[n], end, done)
            done[n] = end
            for other in readers[n] - {-1}:
                (ready.add if self._ready(other, done) else ready.discard)(other)

    def _ready(self, n: int, done: Mapping[int, int]) -> bool:
        end = done[n] + self.rows[n]
        if end > self.heights[n]:
            return False
        for flow, reach in self.needs[n]:
            needed = flow.height if reach is None else reach.end(end, flow.height)
            if done[flow.maker] < needed:
                return False
        return True


def call_height(call: Call) -> int:
    """The number of rows that a call goes through: of its result, or those that it sums up."""
    return call.node.op.rows(call.layer.operands, call.layer.result)
