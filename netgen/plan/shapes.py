"""Packing shapes of (time, bytes) into the smallest arena: greedy placements and a lower bound.

A shape is what a chain of overlapping buffers needs: their places relative to each other are
fixed, and in each segment it spans those that are alive then. This is dynamic storage allocation
with known lifetimes: NP-hard in general, but on the graphs of convolutional networks a few greedy
orders nearly always meet the lower bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Slice:
    """From segment `first` to `last`, both included, a shape uses its bytes `low` to `high`."""

    first: int
    last: int
    low: int
    high: int


@dataclass(frozen=True)
class Shape:
    """Slices that follow each other in time; their bytes count from the shape's own offset."""

    slices: tuple[Slice, ...]

    @property
    def first(self) -> int:
        """The first segment."""
        return self.slices[0].first

    @property
    def last(self) -> int:
        """The last segment."""
        return self.slices[-1].last

    @property
    def bytes(self) -> int:
        """The most bytes of any slice."""
        return max(part.high - part.low for part in self.slices)

    @property
    def area(self) -> int:
        """Bytes times segments."""
        return sum((p.high - p.low) * (p.last - p.first + 1) for p in self.slices)


_ORDERS: tuple[Callable[[Shape], tuple[int, int, int]], ...] = (
    lambda s: (-s.bytes, s.first, s.last),
    lambda s: (-s.area, s.first, s.last),
    lambda s: (s.first - s.last, -s.bytes, s.first),
    lambda s: (s.first, -s.bytes, s.last),
    lambda s: (-s.last, -s.bytes, s.first),
)


def needs(shapes: Sequence[Shape]) -> list[int]:
    """The sum of the bytes in use, in each segment."""
    changes = [0] * (max((shape.last for shape in shapes), default=-1) + 2)
    for shape in shapes:
        for part in shape.slices:
            changes[part.first] += part.high - part.low
            changes[part.last + 1] -= part.high - part.low
    sums, total = [], 0
    for change in changes[:-1]:
        total += change
        sums.append(total)
    return sums


def lower_bound(shapes: Sequence[Shape]) -> int:
    """The largest sum of bytes in use in one segment: no arena can be smaller."""
    return max(needs(shapes), default=0)


def place(shapes: Sequence[Shape]) -> list[int]:
    """An offset for every shape: the best of several greedy placements, ties to the first order.

    Slices start at or above byte 0 of the arena.
    """
    bound = lower_bound(shapes)
    best: list[int] = []
    for order in _ORDERS:
        ranked = sorted(range(len(shapes)), key=lambda i: order(shapes[i]))
        offsets = _first_fit(shapes, ranked)
        if not best or extent(shapes, offsets) < extent(shapes, best):
            best = offsets
        if extent(shapes, best) == bound:
            break
    return best


def extent(shapes: Sequence[Shape], offsets: Sequence[int]) -> int:
    """Bytes of the arena that a placement needs."""
    return max(
        (
            offset + part.high
            for shape, offset in zip(shapes, offsets, strict=True)
            for part in shape.slices
        ),
        default=0,
    )


def _first_fit(shapes: Sequence[Shape], order: Sequence[int]) -> list[int]:
    """Each shape at the lowest offset at which all of its slices are free."""
    offsets = [0] * len(shapes)
    placed: list[int] = []
    for index in order:
        blocked = [
            gap
            for other in placed
            for gap in _forbidden(shapes[index], shapes[other], offsets[other])
        ]
        offset = -min(part.low for part in shapes[index].slices)
        for low, high in sorted(blocked):
            if low < offset < high:
                offset = high
        offsets[index] = offset
        placed.append(index)
    return offsets


def _forbidden(shape: Shape, other: Shape, at: int) -> list[tuple[int, int]]:
    """Open intervals of the shape's offset that make it meet another one, placed at `at`."""
    return [
        (at + b.low - a.high, at + b.high - a.low)
        for a in shape.slices
        for b in other.slices
        if a.first <= b.last and b.first <= a.last
    ]
