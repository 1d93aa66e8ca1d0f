"""sub: y = act(a - b), elementwise; a or b may be one number per channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activated_moment
from netgen.ops.broadcast import WIDER_CODES, Broadcast
from netgen.ops.rescaled import BOTH_ROUNDINGS, own_codes
from netgen.ops.sums_of_codes import in_one_scale, sum_multipliers


@dataclass(frozen=True)
class Sub(Broadcast):
    """Difference of a and b, of one shape [1,H,W,C], or one of them [1,1,1,C]."""

    operator_name: ClassVar[str] = "sub"
    element_types: ClassVar[frozenset[str]] = WIDER_CODES
    roundings: ClassVar[tuple[str, ...]] = BOTH_ROUNDINGS
    commutes: ClassVar[bool] = False
    spread_letters: ClassVar[frozenset[str]] = frozenset({"a", "b"})

    def combine(self, a: Array, b: Array) -> Array:
        """Subtract elementwise."""
        return a - b

    def codes(self, a: Array, b: Array, kinds: Sequence[TensorType], result: TensorType) -> Array:
        """Both are rounded to one scale, their difference to that of the result."""
        multipliers = sum_multipliers(kinds, result)
        first, second = in_one_scale(a, b, kinds, multipliers)
        return multipliers.y.times(first - second) + result.zero

    def second_moment(self, operands: Sequence[float]) -> float:
        """Add mean squares, as for independent values."""
        return activated_moment(self.act, sum(operands))


def sub(
    a: Tensor, b: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """Difference of two tensors of one shape, or of an image and one number per channel; `a - b`.

    Codes have this scale, or that of a.
    """
    with located():
        op = Sub(**own_codes(scale, zero))
    return apply(op, a, b, name=name)
