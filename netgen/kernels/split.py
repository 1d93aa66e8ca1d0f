"""Division of a kernel's loops between threads: once, when planning.

Part p of a call takes a stretch of iterations of every loop. Together the parts take each iteration
once. Each output is computed alike on any thread, so the bits are those of one thread.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal

# What the iterations are: output rows, rows of tiles of pixels, square tiles of pixels, panels of
# outputs, vectors of channels, channels one by one, or elements, or pixels, likewise.
By = Literal["rows", "pixels", "tiles", "panels", "vectors", "channels", "elements"]

# Cycles per byte that a part reads, from a cache that cores share.
_READ_CYCLES = 0.1


@dataclass(frozen=True)
class Loop:
    """Iterations first, first + step, ... before `end`; `weight` is the work of one of them.

    Those of a loop that `follows` belong to whoever has the last iteration of the loop before.
    Loops `by_channel` count the channels that they visit, all loops together: an iteration writes
    these channels, of scratch also their sums, and reads the same ones of x.
    """

    first: int
    end: int
    step: int = 1
    weight: float = 1.0
    follows: bool = False
    by_channel: bool = False

    @property
    def iterations(self) -> int:
        """The number of times that its body runs."""
        return -(-(self.end - self.first) // self.step)

    def start(self, iteration: int) -> int:
        """The counter's value in an iteration; behind the last iteration the loop's end."""
        return min(self.first + iteration * self.step, self.end)


@dataclass(frozen=True)
class Split:
    """A row of `bounds` for each loop: part p goes from its p-th number to the one behind.

    `share` is how much of the work the largest part has.
    """

    by: By
    bounds: tuple[tuple[int, ...], ...]
    share: float


def split_loops(by: By, loops: Sequence[Loop], parts: int, tied: Collection[int] = ()) -> Split:
    """Divide the iterations of all loops, one loop after the other, as evenly as they let.

    `tied` are iterations, counted over all loops, that stay with the one before.
    """
    done = [0.0, *accumulate(loop.weight for loop in loops for _ in range(loop.iterations))]
    free = [n for n in range(len(done)) if n not in tied]
    cuts = [0]
    for part in range(1, parts):
        ideal = done[-1] * part / parts
        nearest = min(free, key=lambda n: (abs(done[n] - ideal), n))
        cuts.append(max(nearest, cuts[-1]))
    cuts.append(len(done) - 1)
    bounds, before = [], 0
    for loop in loops:
        within = (min(max(cut - before, 0), loop.iterations) for cut in cuts)
        bounds.append(tuple(loop.start(iteration) for iteration in within))
        before += loop.iterations
    largest = max(done[b] - done[a] for a, b in pairwise(cuts))
    return Split(by, tuple(bounds), largest / done[-1] if done[-1] else 1.0)


@dataclass(frozen=True)
class Candidate:
    """One way to divide a call, and how many bytes its largest part reads from afar."""

    split: Split
    bytes: float


def cheapest(candidates: Sequence[Candidate], cycles: float) -> Split:
    """The one whose largest part takes least, of a call that takes so many cycles."""

    def price(candidate: Candidate) -> float:
        return cycles * candidate.split.share + _READ_CYCLES * candidate.bytes

    return min(candidates, key=price).split
