"""Offsets for shapes of (time, bytes), so that the arena is as small as can be.

This is dynamic storage allocation with known lifetimes: NP-hard in general, but on the graphs of
convolutional networks a few greedy orders often meet the lower bound. Here are these, and a short
search that improves on them; `exhaustive.py` and `solver.py` go on from there.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from netgen.plan.arena.shapes import Shape, extent, lower_bound

Order = Callable[[Shape], tuple[int, int, int]]

_ORDERS: tuple[Order, ...] = (
    lambda s: (-s.bytes, s.first, s.last),
    lambda s: (-s.area, s.first, s.last),
    lambda s: (s.first - s.last, -s.bytes, s.first),
    lambda s: (s.first, -s.bytes, s.last),
    lambda s: (-s.last, -s.bytes, s.first),
)
# Which of the shapes that could stand equally low comes first.
_PREFERENCES: tuple[Order, ...] = (
    lambda s: (s.first - s.last, -s.bytes, s.first),
    lambda s: (-s.area, s.first, s.last),
    lambda s: (-s.bytes, s.first - s.last, s.first),
)
# Rounds of the search per preference; a round looks at every contact once.
_MOST_ROUNDS = 64
_MOST_LOOKS = 300_000


@dataclass(frozen=True)
class Contact:
    """A shape that is alive while another one is, and how they may lie to each other.

    The offset of the shape minus that of the `other` must not be inside any of the open intervals
    `apart`, which ascend and do not meet each other.
    """

    other: int
    apart: tuple[tuple[int, int], ...]

    @property
    def rise(self) -> int:
        """The least distance above the shape from which on the other one is clear of it."""
        return -self.apart[0][0]


@dataclass(frozen=True)
class Packing:
    """Shapes, the number of which each offset must be a multiple, and who is in whose way."""

    shapes: Sequence[Shape]
    alignments: Sequence[int]
    contacts: Sequence[Sequence[Contact]]

    @cached_property
    def _grounds(self) -> tuple[int, ...]:
        lows = (min(part.low for part in shape.slices) for shape in self.shapes)
        return tuple(self.aligned(index, -low) for index, low in enumerate(lows))

    def ground(self, index: int) -> int:
        """The lowest offset of a shape."""
        return self._grounds[index]

    def top(self, index: int) -> int:
        """The end of a shape that stands at 0."""
        return max(part.high for part in self.shapes[index].slices)

    def aligned(self, index: int, offset: int) -> int:
        """The next offset at which a shape may stand."""
        return -(-offset // self.alignments[index]) * self.alignments[index]

    def lowered(self, index: int, offset: int) -> int:
        """The last offset, up to this one, at which a shape may stand."""
        return offset // self.alignments[index] * self.alignments[index]


def packing(shapes: Sequence[Shape], alignments: Sequence[int] | None = None) -> Packing:
    """Find the contacts of shapes.

    Without `alignments` any offset will do: where all bytes of shapes are multiples of a common
    alignment, the offsets are, too.
    """
    contacts: list[list[Contact]] = [[] for _ in shapes]
    alive: list[int] = []
    for index in sorted(range(len(shapes)), key=lambda i: shapes[i].first):
        alive = [i for i in alive if shapes[i].last >= shapes[index].first]
        for other in alive:
            apart = _apart(shapes[index], shapes[other])
            if apart:
                mirrored = tuple((-high, -low) for low, high in reversed(apart))
                contacts[index].append(Contact(other, apart))
                contacts[other].append(Contact(index, mirrored))
        alive.append(index)
    return Packing(shapes, alignments or [1] * len(shapes), contacts)


def least_bytes(packed: Packing) -> int:
    """A lower bound of any placement: the bytes alive at one time, and the room of each shape."""
    rooms = (packed.ground(i) + packed.top(i) for i in range(len(packed.shapes)))
    return max(lower_bound(packed.shapes), *rooms, 0)


def place(packed: Packing) -> list[int]:
    """An offset for every shape: the best simple placement, ties to the first.

    Slices start at or above byte 0 of the arena.
    """
    shapes = packed.shapes
    bound = least_bytes(packed)
    best, least = [0] * len(shapes), -1
    for offsets in _placements(packed, bound):
        size = extent(shapes, offsets)
        if least < 0 or size < least:
            best, least = offsets, size
        if size == bound:
            break
    return best


def _apart(shape: Shape, other: Shape) -> tuple[tuple[int, int], ...]:
    """Differences of the two offsets at which the shapes would meet, as disjoint intervals.

    The difference is the shape's offset minus the other's. Slices of no bytes meet nothing.
    """
    pairs = sorted(
        (b.low - a.high, b.high - a.low)
        for a in shape.slices
        for b in other.slices
        if a.first <= b.last and b.first <= a.last and a.low < a.high and b.low < b.high
    )
    apart: list[tuple[int, int]] = []
    for low, high in pairs:
        if apart and low < apart[-1][1]:
            apart[-1] = apart[-1][0], max(high, apart[-1][1])
        else:
            apart.append((low, high))
    return tuple(apart)


def _placements(packed: Packing, bound: int) -> Iterator[list[int]]:
    """First fits, then stacks, then stacks in which those that rose too high go first."""
    shapes = packed.shapes
    for order in _ORDERS:
        yield _first_fit(packed, sorted(range(len(shapes)), key=lambda i: order(shapes[i])))
    ranks = [_ranks(shapes, preference) for preference in _PREFERENCES]
    for rank in ranks:
        yield _stack(packed, rank)
    looks = sum(len(others) for others in packed.contacts)
    for rank in ranks:
        yield from _search(packed, rank, bound, min(_MOST_ROUNDS, _MOST_LOOKS // max(looks, 1)))


def _ranks(shapes: Sequence[Shape], preference: Order) -> list[int]:
    """The place of each shape in an order; no two are equal."""
    ranks = [0] * len(shapes)
    by_preference = sorted(range(len(shapes)), key=lambda i: preference(shapes[i]))
    for rank, index in enumerate(by_preference):
        ranks[index] = rank
    return ranks


def _first_fit(packed: Packing, order: Sequence[int]) -> list[int]:
    """Each shape at the lowest offset at which all of its slices are free."""
    offsets: dict[int, int] = {}
    for index in order:
        blocked = [
            (offsets[contact.other] + low, offsets[contact.other] + high)
            for contact in packed.contacts[index]
            if contact.other in offsets
            for low, high in contact.apart
        ]
        offset = packed.ground(index)
        for low, high in sorted(blocked):
            if low < offset < high:
                offset = packed.aligned(index, high)
        offsets[index] = offset
    return [offsets[index] for index in range(len(order))]


def _search(packed: Packing, ranks: Sequence[int], bound: int, rounds: int) -> Iterator[list[int]]:
    """Stack again and again; each time, shapes that end above the bound gain on the others."""
    ranks = list(ranks)
    tops = [packed.top(index) for index in range(len(ranks))]
    for _ in range(rounds):
        offsets = _stack(packed, ranks)
        yield offsets
        for index, offset in enumerate(offsets):
            if offset + tops[index] > bound:
                ranks[index] -= len(ranks)


def _stack(packed: Packing, ranks: Sequence[int]) -> list[int]:
    """Always the shape that can stand lowest upon those already there; ties to the lower rank.

    For blocks of one slice each, some such sequence makes an optimal placement; first fits by size
    may exclude all of them.
    """
    grounds = [packed.ground(index) for index in range(len(ranks))]
    floors = grounds.copy()
    waiting = [(0, rank, index) for index, rank in enumerate(ranks)]
    heapq.heapify(waiting)
    placed = [False] * len(ranks)
    while waiting:
        height, _, index = heapq.heappop(waiting)
        if placed[index] or height < floors[index] - grounds[index]:
            continue  # its floor has risen meanwhile
        placed[index] = True
        for contact in packed.contacts[index]:
            other = contact.other
            if placed[other]:
                continue
            floor = packed.aligned(other, floors[index] + contact.rise)
            if floors[other] < floor:
                floors[other] = floor
                heapq.heappush(waiting, (floor - grounds[other], ranks[other], other))
    return floors
