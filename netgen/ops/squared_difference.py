"""squared_difference: y = act((a - b)^2) of codes, elementwise; b may be one number per channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activated_moment
from netgen.ops.broadcast import Broadcast, in_order
from netgen.ops.fixed_point import bounded_multiplier, multiplier_of
from netgen.ops.rescaled import own_codes, scale_of
from netgen.ops.sums_of_codes import SumMultipliers

# Bits by which codes are shifted before they are brought to one scale: squares fit into int32.
SQUARE_SHIFT = 7
_FURTHEST = 255 << SQUARE_SHIFT


@dataclass(frozen=True)
class SquaredDifference(Broadcast):
    """Square of the difference of a [1,H,W,C] and b, of the same shape or [1,1,1,C].

    Of codes only: of floats it is `mul` of a `sub` by itself.
    """

    operator_name: ClassVar[str] = "squared_difference"
    element_types: ClassVar[frozenset[str]] = frozenset({"i8"})
    roundings: ClassVar[tuple[str, ...]] = ("fixed",)

    def combine(self, a: Array, b: Array) -> Array:
        """numpy.square of the difference."""
        square: Array = np.square(a - b)
        return square

    def codes(self, a: Array, b: Array, kinds: Sequence[TensorType], result: TensorType) -> Array:
        """Both are rounded to one scale, the square of their difference to that of the result.

        Source: TensorFlow Lite, `squared_difference.cc`, Prepare and SquaredDifference.
        """
        by = self.multipliers(kinds, result)
        first, second = (
            each.times((codes - kind.zero) << SQUARE_SHIFT)
            for each, codes, kind in zip((by.a, by.b), (a, b), kinds, strict=True)
        )
        return by.y.times(np.square(first - second)) + result.zero

    def multipliers(self, kinds: Sequence[TensorType], result: TensorType) -> SumMultipliers:
        """Factors that bring a and b to twice the larger scale, and squares to the result's."""
        scales = [scale_of(kind) for kind in kinds]
        common = 2.0 * max(scales)
        square = common * common / (4.0**SQUARE_SHIFT * scale_of(result))
        a, b = (multiplier_of(scale / common) for scale in scales)
        return SumMultipliers(a, b, bounded_multiplier(square, _FURTHEST**2))

    def second_moment(self, operands: Sequence[float]) -> float:
        """The square of a normal difference, whose mean square is the sum of both."""
        return activated_moment(self.act, 3.0 * sum(operands) ** 2)


def squared_difference(
    a: Tensor, b: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """Square of a difference of codes of one shape, or of an image and one number per channel.

    Codes have this scale, or that of a.
    """
    with located():
        op = SquaredDifference(**own_codes(scale, zero))
    return apply(op, *in_order(a, b), name=name)
