"""The size of an operator's results: their range, and their mean square with seeded weights.

Seeding is by analysis: operators say what they do to a mean square, of centred values, and nothing
is run. `weights/spread.py` follows values through a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar, TypeAlias

# Between which numbers elements lie, both included; NaN is not considered.
Range: TypeAlias = tuple[float, float]
ANY_NUMBER: Range = (-inf, inf)


@dataclass(frozen=True)
class Spread:
    """A value's mean square, and which share of that its numbers above zero have.

    The share is 1/2 for centred values and 1 for rectified ones.
    """

    square: float = 1.0
    above: float = 0.5


@dataclass(frozen=True)
class Seed:
    """Seeded numbers of a parameter: uniform, up to `reach` from `centre`.

    Where `relative`, the reach is in terms of the root of x's mean square.
    """

    centre: float
    reach: float
    relative: bool = False


class Magnitude:
    """The part of an operator that says so."""

    # Whether elements go from operands to the result as they are: all are of one kind then.
    moves_only: ClassVar[bool] = False
    # Whether elements of the result lie between those of the operands and zero, as moved ones do.
    keeps_range: ClassVar[bool] = False
    # Whether x keeps its mean square, seeded parameters or not.
    keeps_spread: ClassVar[bool] = False
    # Whether it adds its operands, each of which may come from weights of its own.
    adds_operands: ClassVar[bool] = False
    # The mean square of x that seeded weights before it aim for.
    aim: ClassVar[float] = 1.0
    # Parameters that are no weights and no bias, by letter.
    seeds: ClassVar[Mapping[str, Seed]] = {}

    def value_range(self, operands: Sequence[Range]) -> Range:
        """The range of the result, given that of each activation."""
        if not (self.moves_only or self.keeps_range):
            return ANY_NUMBER
        return min(0.0, *(low for low, _ in operands)), max(0.0, *(high for _, high in operands))

    def second_moment(self, operands: Sequence[float]) -> float:
        """Mean square of the result, given that of each activation; seeded weights aim for 1."""
        return operands[0]

    def spread(self, operands: Sequence[Spread]) -> Spread:
        """Mean square of the result and the share above zero, given those of each activation."""
        squares = [operand.square for operand in operands]
        return Spread(self.second_moment(squares), self.share_above(operands))

    def share_above(self, operands: Sequence[Spread]) -> float:
        """The share, 0 to 1, that the numbers above zero have of the result's mean square."""
        least, _ = self.value_range([ANY_NUMBER] * len(operands))
        return 1.0 if least >= 0.0 else operands[0].above
