"""The first step of planning: where the channels of every value stand.

Values that a view joins share one buffer, whose pixels hold the channels of all of them. A channel
takes a place when its value is computed and leaves it after the last step that reads it, so later
values take the places of channels that were consumed: a buffer is as wide as the most channels that
are alive at once. Of one value, those channels stand together that die together; then what comes
next finds free places of the lengths it needs, and runs stay few and long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from netgen.ir.graph import Graph
from netgen.kernels.layout import Layout, Places, dense_layout, layout_of
from netgen.plan.schedule.calls import Call
from netgen.plan.schedule.views import Views


@dataclass(frozen=True)
class Home:
    """The buffer of a value, and where its channels stand in the buffer's pixels."""

    buffer: str
    layout: Layout


@dataclass(frozen=True)
class Lives:
    """The step that computes each value, and the last step that reads each of its channels."""

    birth: Mapping[str, int]
    death: Mapping[str, Places]


def lay_out(graph: Graph, views: Views) -> dict[str, Home]:
    """Give every value its home."""
    lives = find_lives(graph, views)
    placer = _Placer(graph, views, lives)
    kept = (*graph.inputs, *graph.states)
    names = [node.name for node in kept] + [call.node.name for call in views.calls]
    calls = {call.node.name: call for call in views.calls}
    for name in names:
        placer.place(name, calls.get(name))
    homes = {}
    for node in (*kept, *graph.activations):
        homes[node.name] = placer.home(node.name)
    return homes


def find_lives(graph: Graph, views: Views) -> Lives:
    """Lives of all computed values; results of the run live on to the last step."""
    birth = {node.name: 0 for node in (*graph.inputs, *graph.states)}
    birth |= {call.node.name: index for index, call in enumerate(views.calls)}
    death = {
        name: np.full(len(views.sources[name]), index, np.int64) for name, index in birth.items()
    }
    for index, call in enumerate(views.calls):
        for value in call.reads.values():
            _extend(views, death, value, index)
    for output in graph.results:
        _extend(views, death, output, len(views.calls) - 1)
    return Lives(birth, death)


def _extend(views: Views, death: Mapping[str, Places], value: str, step: int) -> None:
    """Let a value's channels, wherever they stand, live to a step."""
    if value in views.aliases:
        for source in views.aliases[value]:
            death[source][:] = np.maximum(death[source], step)
        return
    by_source: dict[str, list[int]] = {}
    for source, channel in views.sources[value]:
        by_source.setdefault(source, []).append(channel)
    for source, channels in by_source.items():
        if source in views.aliases:
            _extend(views, death, source, step)
        else:
            death[source][channels] = np.maximum(death[source][channels], step)


def pixel_places(lives: Lives, group: Sequence[str]) -> int:
    """The most channels of a group of values that are alive in one step."""
    births = sorted({lives.birth[value] for value in group})
    return max(
        sum(
            int((lives.death[value] >= step).sum()) for value in group if lives.birth[value] <= step
        )
        for step in births
    )


class _Placer:
    """Gives places to the channels of one computed value after the other, in the order of steps."""

    def __init__(self, graph: Graph, views: Views, lives: Lives) -> None:
        self.graph = graph
        self.views = views
        self.lives = lives
        self.groups = {value: group for group in views.together for value in group}
        self.pins = {group: output for output, group in views.pinned.items()}
        self.states = {node.name for node in graph.states}
        self.places: dict[str, Places] = {}
        self.taken: dict[tuple[str, ...], Places] = {}

    def place(self, name: str, call: Call | None) -> None:
        """Choose the places of a computed value; those computed before have theirs."""
        group = self.groups[name]
        channels = len(self.views.sources[name])
        if name in self.views.assigned:
            self.places[name] = self.places[self.views.assigned[name]]
        elif group in self.pins:
            at = {source: n for n, source in enumerate(self.views.sources[self.pins[group]])}
            self.places[name] = np.array([at[name, c] for c in range(channels)], np.int64)
        elif name in self.views.dense or call is None:
            self.places[name] = np.arange(channels)
        elif len(group) == 1:
            places = np.empty(channels, np.int64)
            places[self._order(call, channels)] = np.arange(channels)
            self.places[name] = places
        else:
            self.places[name] = self._take(group, name, self._order(call, channels))

    def _order(self, call: Call, channels: int) -> Places:
        """The channels of a result in the order that suits its operands.

        Where an operator goes channel by channel, that of its operand; where a residual is added,
        that of the residual; else the logical order.
        """
        for letter, value in call.reads.items():
            kept = call.node.op.keeps_channels(letter)
            if kept and len(self.views.sources[value]) == channels:
                return np.argsort(self.home(value).layout.places(), kind="stable")
        return np.arange(channels)

    def _take(self, group: tuple[str, ...], name: str, order: Places) -> Places:
        """Places among those that are free when the value is computed."""
        birth, death = self.lives.birth[name], self.lives.death[name]
        if group not in self.taken:
            self.taken[group] = np.full(pixel_places(self.lives, group), -1, np.int64)
        taken = self.taken[group]
        free = _stretches(np.flatnonzero(taken < birth).tolist())
        places = np.full(len(order), -1, np.int64)
        ranked = sorted(order.tolist(), key=lambda c: int(death[c]))
        blocks = [list(block) for _, block in groupby(ranked, key=lambda c: int(death[c]))]
        for block in sorted(blocks, key=len, reverse=True):
            for channel, place in zip(block, _fit(free, len(block)), strict=True):
                places[channel] = place
                taken[place] = death[channel]
        return places

    def home(self, name: str) -> Home:
        """The home of a value whose sources all have their places."""
        if name in self.views.aliases:
            source, *_ = self.views.aliases[name]
            return Home(self.buffer(source), dense_layout(self._channels(name)))
        sources = self.views.sources[name]
        if sources and sources[0][0] in self.views.aliases:
            cut = self.home(sources[0][0])
            shown = cut.layout.places()[[channel for _, channel in sources]]
            return Home(cut.buffer, layout_of(cut.layout.pitch, shown))
        first = self.groups[sources[0][0]]
        places = [int(self.places[value][channel]) for value, channel in sources]
        return Home(self.buffer(sources[0][0]), layout_of(self.pitch(first), places))

    def buffer(self, value: str) -> str:
        """The buffer of a computed value: named after the first value of its group."""
        group = self.groups[value]
        return min(group, key=lambda v: (v not in self.states, self.lives.birth[v], v))

    def pitch(self, group: tuple[str, ...]) -> int:
        """Places in the pixels of a group's buffer."""
        if group in self.pins:
            return len(self.views.sources[self.pins[group]])
        return len(self.taken[group]) if group in self.taken else len(self.places[group[0]])

    def _channels(self, name: str) -> int:
        return self.graph[name].type.shape[-1]


def _stretches(places: Sequence[int]) -> list[list[int]]:
    """Sorted places as lists of consecutive ones."""
    stretches: list[list[int]] = []
    for place in places:
        if stretches and stretches[-1][-1] + 1 == place:
            stretches[-1].append(place)
        else:
            stretches.append([place])
    return stretches


def _fit(free: list[list[int]], count: int) -> list[int]:
    """Take `count` places out of the free stretches: one that fits exactly, else the narrowest.

    Where none is long enough, the longest is used up and the rest is looked for in the others.
    """
    found: list[int] = []
    while len(found) < count:
        needed = count - len(found)
        wide = [stretch for stretch in free if len(stretch) >= needed]
        best = min(wide, key=len) if wide else max(free, key=len)
        found += best[:needed]
        free.remove(best)
        if len(best) > needed:
            free.append(best[needed:])
    return sorted(found)
