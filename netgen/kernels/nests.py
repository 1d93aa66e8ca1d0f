"""Nests of loops over the axes of values of any rank, neighbours joined where all go on alike.

Values are dense, in row-major order. An axis along which a value does not go on has the stride 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from netgen.kernels.layer import Json
from netgen.kernels.terms import Term, product, sum_of


@dataclass(frozen=True)
class Nest:
    """Loops from the outermost: their extents, and the strides of each value by letter."""

    extents: tuple[int, ...]
    strides: Mapping[str, tuple[int, ...]]

    def index(self, letter: str) -> Term:
        """The element of a value that the innermost loop is at, as C."""
        steps = self.strides[letter]
        return sum_of(*(product(f"i{depth}", step) for depth, step in enumerate(steps)))

    def loops(self) -> list[Json]:
        """Variables and extents, for a template."""
        return [
            {"variable": f"i{depth}", "extent": extent} for depth, extent in enumerate(self.extents)
        ]


def strides_of(shape: Sequence[int]) -> tuple[int, ...]:
    """Elements from one index to the next of each axis; 0 where there is no next one."""
    return tuple(prod(shape[axis + 1 :]) if extent > 1 else 0 for axis, extent in enumerate(shape))


def nest_of(extents: Sequence[int], strides: Mapping[str, Sequence[int]]) -> Nest:
    """The loops over these extents; those of 1 are none, neighbours become one where they can."""
    loops: list[tuple[int, list[int]]] = []
    for axis, extent in enumerate(extents):
        steps = [step[axis] for step in strides.values()]
        if extent == 1:
            continue
        if loops and loops[-1][1] == [step * extent for step in steps]:
            loops[-1] = (loops[-1][0] * extent, steps)
        else:
            loops.append((extent, steps))
    return Nest(
        tuple(extent for extent, _ in loops),
        {letter: tuple(steps[place] for _, steps in loops) for place, letter in enumerate(strides)},
    )
