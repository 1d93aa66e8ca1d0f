"""An exhaustive search for the smallest arena, quick for as many shapes as a network has.

Of any two shapes that are alive together, each pair of slices lies one way or the other. A search
decides pair after pair; after each decision the lowest and the highest offset of every shape follow
from those of the others, and where a lowest exceeds a highest, that way is closed. When all pairs
are decided, the lowest offsets are a placement.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from netgen.plan.arena.greedy import Packing, least_bytes
from netgen.plan.arena.shapes import extent

# Pairs looked at in all: about a fifth of a second.
_MOST_LOOKS = 200_000

_ABOVE, _OPEN, _BELOW = 1, 0, -1


@dataclass(frozen=True)
class Placement:
    """Offsets, and the fewest bytes that any placement needs, as far as that is proven."""

    offsets: list[int]
    least: int


def improve(packed: Packing, offsets: Sequence[int]) -> Placement:
    """The smallest placement, or the smallest that was found before the search was given up."""
    best = Placement([*offsets], least_bytes(packed))
    size = extent(packed.shapes, best.offsets)
    search = Search(packed)
    target = best.least
    while best.least < size:
        found = search.within(target)
        if found is None:
            break
        if found:
            best = replace(best, offsets=found)
            size = extent(packed.shapes, found)
        else:
            best = replace(best, least=target + 1)
        # The bound is refuted or met; from there on, each placement must be smaller than the last.
        target = size - 1
    return best


@dataclass
class _Node:
    """Lowest and highest offsets, which pairs are decided how, and those to look at again."""

    lows: list[int]
    highs: list[int]
    sides: list[int]
    pending: Iterable[int]

    def decided(self, pair: int, side: int) -> _Node:
        """A copy in which one more pair is decided."""
        sides = self.sides.copy()
        sides[pair] = side
        return _Node(self.lows.copy(), self.highs.copy(), sides, [pair])


class Search:
    """Pairs are (shape, other, low, high): the shape's offset minus the other's is not between."""

    def __init__(self, packed: Packing) -> None:
        self._packed = packed
        self._looks = 0
        self._pairs = [
            (index, contact.other, low, high)
            for index, contacts in enumerate(packed.contacts)
            for contact in contacts
            if contact.other < index
            for low, high in contact.apart
        ]
        self._of: list[list[int]] = [[] for _ in packed.shapes]
        for pair, (index, other, _, _) in enumerate(self._pairs):
            self._of[index].append(pair)
            self._of[other].append(pair)

    def within(self, size: int) -> list[int] | None:
        """Offsets of an arena of at most `size` bytes: [] where there are none, None if unknown."""
        shapes = range(len(self._packed.shapes))
        root = _Node(
            [self._packed.ground(i) for i in shapes],
            [self._packed.lowered(i, size - self._packed.top(i)) for i in shapes],
            [_OPEN] * len(self._pairs),
            range(len(self._pairs)),
        )
        if any(low > high for low, high in zip(root.lows, root.highs, strict=True)):
            return []
        nodes = [root]
        while nodes:
            node = nodes.pop()
            if not self._follow(node):
                if self._looks > _MOST_LOOKS:
                    return None
                continue
            pair = self._tightest(node)
            if pair is None:
                return node.lows
            first, second = self._ways(node, pair)
            nodes += [node.decided(pair, second), node.decided(pair, first)]
        return []

    def _follow(self, node: _Node) -> bool:
        """Narrow all offsets until nothing follows any more; False where that leaves no placement.

        False, too, where the search has looked at too many pairs.
        """
        queue = deque(node.pending)
        waiting = set(queue)
        while queue:
            self._looks += 1
            if self._looks > _MOST_LOOKS:
                return False
            pair = queue.popleft()
            waiting.discard(pair)
            if node.sides[pair] == _OPEN:
                above, below = self._slack(node, pair)
                if above >= 0 and below >= 0:
                    continue
                node.sides[pair] = _ABOVE if above >= 0 else _BELOW
            for moved in self._narrow(node, pair):
                if node.lows[moved] > node.highs[moved]:
                    return False
                again = [p for p in self._of[moved] if p not in waiting]
                queue.extend(again)
                waiting.update(again)
        return True

    def _narrow(self, node: _Node, pair: int) -> list[int]:
        """Let a decided pair bound the offsets of its shapes; which of them have changed."""
        index, other, low, high = self._pairs[pair]
        if node.sides[pair] == _ABOVE:
            upper, lower, distance = index, other, high
        else:
            upper, lower, distance = other, index, -low
        lowest = self._packed.aligned(upper, node.lows[lower] + distance)
        highest = self._packed.lowered(lower, node.highs[upper] - distance)
        moved = []
        if lowest > node.lows[upper]:
            node.lows[upper] = lowest
            moved.append(upper)
        if highest < node.highs[lower]:
            node.highs[lower] = highest
            moved.append(lower)
        return moved

    def _slack(self, node: _Node, pair: int) -> tuple[int, int]:
        """The play that the shapes of a pair have with one above the other, and the other way."""
        index, other, low, high = self._pairs[pair]
        return (
            node.highs[index] - node.lows[other] - high,
            node.highs[other] - node.lows[index] + low,
        )

    def _tightest(self, node: _Node) -> int | None:
        """The open pair with the least play."""
        undecided = (pair for pair, side in enumerate(node.sides) if side == _OPEN)
        return min(undecided, key=lambda pair: sum(self._slack(node, pair)), default=None)

    def _ways(self, node: _Node, pair: int) -> tuple[int, int]:
        """The two ways, that with more play first."""
        above, below = self._slack(node, pair)
        return (_ABOVE, _BELOW) if above >= below else (_BELOW, _ABOVE)
