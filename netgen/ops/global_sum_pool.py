"""global_sum_pool: y[c] = sum over i,j of x[i,j,c], of codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.tensor_type import TensorType, rounded_scale
from netgen.ops.fixed_point import Multiplier, multiplier_of
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.rescaled import scale_of


@dataclass(frozen=True)
class GlobalSumPool(GlobalAvgPool):
    """Sum over all pixels of codes x [1,H,W,C]: as their mean, which is not divided.

    Source: TensorFlow Lite, `reference/reduce.h`, QuantizedMeanOrSum.
    """

    operator_name: ClassVar[str] = "global_sum_pool"
    roundings: ClassVar[tuple[str, ...]] = ("fixed",)
    element_types: ClassVar[frozenset[str]] = frozenset({"i8", "u8"})
    keeps_range: ClassVar[bool] = False

    def multiplier(self, x: TensorType, result: TensorType) -> Multiplier:
        """The factor of sums of codes less their zero point."""
        return multiplier_of(scale_of(x) / scale_of(result))

    def second_moment(self, operands: Sequence[float]) -> float:
        """Nothing that codes need: no weights are seeded behind them."""
        return operands[0]


def global_sum_pool(
    x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """Sum over all pixels of codes, with this scale, rounded to float32, or with that of x."""
    with located():
        op = GlobalSumPool(scale=0.0 if scale is None else rounded_scale(scale), zero=zero)
    return apply(op, x, name=name)
