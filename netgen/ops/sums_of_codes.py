"""Sums and differences of codes of different scales, in TensorFlow Lite's fixed point.

Source: TensorFlow Lite, `add.cc`, Prepare; `sub.cc`, PrepareGeneralSubOp; `reference/sub.h`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netgen.errors import GraphError
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.fixed_point import Multiplier, multiplier_of
from netgen.ops.rescaled import scale_of


def left_shift(kind: TensorType) -> int:
    """Bits by which codes of a type are shifted before they are brought to one scale."""
    return 15 if kind.dtype == "i16" else 20


@dataclass(frozen=True)
class SumMultipliers:
    """Factors that bring a and b to twice the larger scale, and their sum to that of the result."""

    a: Multiplier
    b: Multiplier
    y: Multiplier


def sum_multipliers(kinds: Sequence[TensorType], result: TensorType) -> SumMultipliers:
    """The multipliers for operands of these types; raises GraphError where one is above 1."""
    scales = [scale_of(kind) for kind in kinds]
    common = 2.0 * max(scales)
    numbers = [scales[0] / common, scales[1] / common]
    shift = left_shift(result)
    numbers.append(common / (2.0**shift * scale_of(result)))
    found = [multiplier_of(number) for number in numbers]
    if any(each.left for each in found):
        raise GraphError(
            "the scale of a sum is too small",
            expected=f"at least {common:g} / 2^{shift}",
            found=str(result),
        )
    return SumMultipliers(*found)


def in_one_scale(
    a: Array, b: Array, kinds: Sequence[TensorType], multipliers: SumMultipliers
) -> tuple[Array, Array]:
    """The real numbers of codes over one scale."""
    return (
        multipliers.a.times((a - kinds[0].zero) << left_shift(kinds[0])),
        multipliers.b.times((b - kinds[1].zero) << left_shift(kinds[1])),
    )
