"""Packing rectangles of (time, bytes) into the smallest arena: greedy placements and a lower bound.

This is dynamic storage allocation with known lifetimes: NP-hard in general, but on the graphs of
convolutional networks a few greedy orders nearly always meet the lower bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """A rectangle to place: its size, and the first and last step in which it is alive."""

    bytes: int
    first: int
    last: int

    def meets(self, other: Block) -> bool:
        """Whether both are alive in some step."""
        return self.first <= other.last and other.first <= self.last


_ORDERS: tuple[Callable[[Block], tuple[int, int, int]], ...] = (
    lambda b: (-b.bytes, b.first, b.last),
    lambda b: (-b.bytes * (b.last - b.first + 1), b.first, b.last),
    lambda b: (b.first - b.last, -b.bytes, b.first),
    lambda b: (b.first, -b.bytes, b.last),
    lambda b: (-b.last, -b.bytes, b.first),
)


def lower_bound(blocks: Sequence[Block]) -> int:
    """The largest sum of bytes alive in one step: no arena can be smaller."""
    starts = {block.first for block in blocks}
    return max((sum(b.bytes for b in blocks if b.first <= t <= b.last) for t in starts), default=0)


def place(blocks: Sequence[Block]) -> list[int]:
    """An offset for every block: the best of several greedy placements, ties to the first order."""
    bound = lower_bound(blocks)
    best: list[int] = []
    for order in _ORDERS:
        offsets = _first_fit(blocks, sorted(range(len(blocks)), key=lambda i: order(blocks[i])))
        if not best or extent(blocks, offsets) < extent(blocks, best):
            best = offsets
        if extent(blocks, best) == bound:
            break
    return best


def extent(blocks: Sequence[Block], offsets: Sequence[int]) -> int:
    """Bytes of the arena that a placement needs."""
    ends = [offset + block.bytes for block, offset in zip(blocks, offsets, strict=True)]
    return max(ends, default=0)


def _first_fit(blocks: Sequence[Block], order: Sequence[int]) -> list[int]:
    """Each block at the lowest offset that is free during its whole life."""
    offsets = [0] * len(blocks)
    placed: list[int] = []
    for index in order:
        offset = 0
        for other in sorted(placed, key=lambda i: offsets[i]):
            if not blocks[index].meets(blocks[other]):
                continue
            if offset + blocks[index].bytes <= offsets[other]:
                break
            offset = max(offset, offsets[other] + blocks[other].bytes)
        offsets[index] = offset
        placed.append(index)
    return offsets
