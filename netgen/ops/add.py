"""add: y = act(a + b), elementwise; b may be one number per channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.magnitude import Spread
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activated_moment
from netgen.ops.broadcast import WIDER_CODES, Broadcast, in_order
from netgen.ops.rescaled import BOTH_ROUNDINGS, own_codes
from netgen.ops.sums_of_codes import in_one_scale, sum_multipliers


@dataclass(frozen=True)
class Add(Broadcast):
    """Sum of a [1,H,W,C] and b, of the same shape or [1,1,1,C]."""

    operator_name: ClassVar[str] = "add"
    element_types: ClassVar[frozenset[str]] = WIDER_CODES
    adds_operands: ClassVar[bool] = True
    roundings: ClassVar[tuple[str, ...]] = BOTH_ROUNDINGS
    fate: ClassVar[str] = "residual additions, done by the convolution that ends their branch"

    def combine(self, a: Array, b: Array) -> Array:
        """Add elementwise."""
        return a + b

    def codes(self, a: Array, b: Array, kinds: Sequence[TensorType], result: TensorType) -> Array:
        """Both are rounded to one scale, their sum to that of the result."""
        multipliers = sum_multipliers(kinds, result)
        first, second = in_one_scale(a, b, kinds, multipliers)
        return multipliers.y.times(first + second) + result.zero

    def share_above(self, operands: Sequence[Spread]) -> float:
        """The share of the sum of independent values.

        It is exact for two centred and for two rectified values. If a is rectified and b centred, a
        quarter of b's mean square is taken to end below zero. This is exact for a small b, and
        within 7 % of the sum if both are equal.
        """
        if len(operands) != 2:
            return super().share_above(operands)
        a, b = operands
        below = a.square * (1.0 - a.above) * (1.5 - b.above)
        below += b.square * (1.0 - b.above) * (1.5 - a.above)
        return 1.0 - below / (a.square + b.square)

    def second_moment(self, operands: Sequence[float]) -> float:
        """Add mean squares, as for independent values."""
        return activated_moment(self.act, sum(operands))


def add(
    a: Tensor, b: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """Sum of two tensors of one shape, or of an image and one number per channel; `a + b`.

    Codes have this scale, or that of a.
    """
    with located():
        op = Add(**own_codes(scale, zero))
    return apply(op, *in_order(a, b), name=name)
