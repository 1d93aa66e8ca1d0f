"""Small packings for the allocator's tests, and their answers by brute force on bit sets.

Bytes are counted in units of 4. Shapes have few of them, so that a step of an arena is a small
integer whose bits are its units.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from netgen.plan.arena.shapes import Shape, Slice, extent

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
    """The number of slices on each unit, by step: 0 or 1 if a placement is right."""
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


def choices(shape: Shape, units: int, alignment: int = UNIT) -> list[int]:
    """All offsets of a shape in an arena of so many units."""
    lowest = -min(part.low for part in shape.slices)
    highest = UNIT * units - max(part.high for part in shape.slices)
    return [offset for offset in range(lowest, highest + 1) if offset % alignment == 0]


def fits(given: Sequence[Shape], offered: Sequence[Sequence[int]]) -> bool:
    """Whether some choice of the offered offsets keeps all shapes apart.

    Shapes come by their first step; all that matters of those before is which units they use in
    the steps that are still to come.
    """
    states = {(0,) * STEPS}
    for index in sorted(range(len(given)), key=lambda i: given[i].first):
        after = set()
        for offset in offered[index]:
            bits = _bits(given[index], offset)
            for state in states:
                if not any(mine & taken for mine, taken in zip(bits, state, strict=True)):
                    joined = [mine | taken for mine, taken in zip(bits, state, strict=True)]
                    past = given[index].first
                    after.add((*(0,) * past, *joined[past:]))
        states = after
    return bool(states)


def _bits(shape: Shape, offset: int) -> list[int]:
    """The units that a shape uses, by step, as the bits of an integer."""
    bits = [0] * STEPS
    for part in shape.slices:
        ones = (1 << (part.high - part.low) // UNIT) - 1
        for step in range(part.first, part.last + 1):
            bits[step] = ones << (offset + part.low) // UNIT
    return bits


def least_units(given: Sequence[Shape]) -> int:
    """The height of the smallest arena, by trying one height after another."""
    units = 0
    while not fits(given, [choices(shape, units) for shape in given]):
        units += 1
    return units


def first_of_smallest(given: Sequence[Shape]) -> list[int]:
    """Among the placements of the least size, the one whose offsets, as a list, come first."""
    offered = [choices(shape, least_units(given)) for shape in given]
    for index, offsets in enumerate(offered):
        for offset in offsets:
            offered[index] = [offset]
            if fits(given, offered):
                break
    return [offset for (offset,) in offered]


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
