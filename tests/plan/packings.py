"""Small packings for the allocator's tests, and their answers by brute force on bit sets.

Bytes are counted in units of 4. Shapes have few of them, so that a step of an arena is a small
integer whose bits are its units.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from hypothesis import strategies as st

from netgen.plan.shapes import Shape, Slice, extent

STEPS = 6
UNIT = 4


@st.composite
def shapes(draw: st.DrawFn, most_slices: int = 3) -> Shape:
    """One to three slices after each other, which need not lie at the same bytes."""
    time = draw(st.integers(0, STEPS - 1))
    slices = []
    for _ in range(draw(st.integers(1, most_slices))):
        end = min(time + draw(st.integers(1, 3)), STEPS)
        low = draw(st.integers(-2, 2)) if most_slices > 1 else 0
        if end > time:
            size = draw(st.integers(1, 4))
            slices.append(Slice(time, end - 1, UNIT * low, UNIT * (low + size)))
        time = end
    return Shape(tuple(slices))


blocks = shapes(most_slices=1)


def occupancy(given: Sequence[Shape], offsets: Sequence[int]) -> np.ndarray:
    """How many slices lie on each unit, by step: 0 or 1 where a placement is right."""
    height = extent(given, offsets)
    occupied = np.zeros((STEPS, height // UNIT), int)
    for shape, offset in zip(given, offsets, strict=True):
        for part in shape.slices:
            low, high = (offset + part.low) // UNIT, (offset + part.high) // UNIT
            assert 0 <= low <= high
            occupied[part.first : part.last + 1, low:high] += 1
    return occupied


def assert_placed(given: Sequence[Shape], offsets: Sequence[int]) -> None:
    """All shapes are in the arena, at multiples of the unit, and never on one another."""
    assert all(offset % UNIT == 0 for offset in offsets)
    assert occupancy(given, offsets).max(initial=0) <= 1


def all_placements(given: Sequence[Shape], units: int) -> Iterator[list[int]]:
    """Every placement in an arena of so many units, in the order of the lists of offsets."""

    def search(rest: Sequence[Shape], occupied: list[int]) -> Iterator[list[int]]:
        if not rest:
            yield []
            return
        lowest = -min(part.low for part in rest[0].slices) // UNIT
        highest = units - max(part.high for part in rest[0].slices) // UNIT
        for offset in range(lowest, highest + 1):
            bits = [0] * STEPS
            for part in rest[0].slices:
                for step in range(part.first, part.last + 1):
                    ones = (1 << (part.high - part.low) // UNIT) - 1
                    bits[step] = ones << offset + part.low // UNIT
            if not any(map(int.__and__, bits, occupied)):
                for others in search(rest[1:], list(map(int.__or__, bits, occupied))):
                    yield [UNIT * offset, *others]

    return search(given, [0] * STEPS)


def first_of_smallest(given: Sequence[Shape]) -> list[int]:
    """Among the placements of the least size, the one whose offsets, as a list, come first."""
    units = 0
    while (found := next(all_placements(given, units), None)) is None:
        units += 1
    return found


def tight(seed: int, count: int, height: int = 1 << 20, steps: int = 400) -> list[Shape]:
    """Blocks that fill a rectangle of `steps` and `height` bytes, cut at random: the best is known.

    Every cut goes through a block, along time or along bytes, the larger more often.
    """
    random = np.random.default_rng(seed)
    parts = [(0, steps, 0, height)]
    while len(parts) < count:
        areas = np.array([(end - begin) * (high - low) for begin, end, low, high in parts])
        chosen = int(random.choice(len(parts), p=areas / areas.sum()))
        begin, end, low, high = parts[chosen]
        along_time = random.random() < 0.5
        if along_time and end - begin > 1:
            cut = int(random.integers(begin + 1, end))
            parts[chosen : chosen + 1] = [(begin, cut, low, high), (cut, end, low, high)]
        elif not along_time and high - low > 1:
            cut = int(random.integers(low + 1, high))
            parts[chosen : chosen + 1] = [(begin, end, low, cut), (begin, end, cut, high)]
    random.shuffle(parts)
    return [Shape((Slice(begin, end - 1, 0, high - low),)) for begin, end, low, high in parts]


def loose(seed: int, count: int, steps: int = 200) -> list[Shape]:
    """Blocks of any sizes that begin anywhere; most are short."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        first = int(random.integers(0, steps))
        last = min(steps, first + int(random.geometric(1 / 12))) - 1
        found.append(Shape((Slice(first, last, 0, int(random.integers(1, 1000))),)))
    return found


# Simple placements stack whole shapes and need 12 units; hooked into each other, 10 will do.
HOOKED = [
    Shape((Slice(3, 4, 2 * UNIT, 4 * UNIT), Slice(5, 5, 0, 5 * UNIT))),
    Shape((Slice(3, 3, -UNIT, 4 * UNIT), Slice(4, 4, 0, 5 * UNIT))),
    Shape((Slice(2, 2, 2 * UNIT, 4 * UNIT), Slice(3, 5, UNIT, 2 * UNIT))),
    Shape((Slice(1, 1, -2 * UNIT, UNIT), Slice(2, 3, UNIT, 2 * UNIT))),
]
