"""Shapes of (time, bytes): what buffers need of the arena, and the least that shapes need together.

A shape is what a chain of overlapping buffers needs: their places relative to each other are
fixed, and in each segment it spans those that are alive then. `placement.py` finds offsets.
"""

from __future__ import annotations

from collections.abc import Sequence
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
