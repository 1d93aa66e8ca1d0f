"""prelu: y = a if a >= 0, else a b, elementwise; b, the slope, may be one number per channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, parameter, value_name
from netgen.ir.magnitude import Seed
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activated_moment
from netgen.ops.broadcast import Broadcast, per_channel
from netgen.ops.fixed_point import Multiplier, bounded_multiplier, float_ratio
from netgen.ops.rescaled import scale_of


@dataclass(frozen=True)
class Prelu(Broadcast):
    """Rectified linear unit with learned slopes b below zero (He et al. 2015), [1,1,1,C] mostly."""

    operator_name: ClassVar[str] = "prelu"
    commutes: ClassVar[bool] = False
    seeds: ClassVar[Mapping[str, Seed]] = {"b": Seed(0.25, 0.1)}

    def combine(self, a: Array, b: Array) -> Array:
        """The formula as it stands; -0 stays -0."""
        return np.where(a >= 0.0, a, b * a)

    def codes(self, a: Array, b: Array, kinds: Sequence[TensorType], result: TensorType) -> Array:
        """Rescaled by one of two multipliers, below zero with the slope less its zero point.

        Source: TensorFlow Lite, `activations.cc`, PreluPrepare; `reference/prelu.h`.
        """
        straight, leak = self.multipliers(kinds, result)
        centred = a - kinds[0].zero
        leaked = leak.times(centred * (b - kinds[1].zero))
        return np.where(centred >= 0, straight.times(centred), leaked) + result.zero

    def multipliers(
        self, kinds: Sequence[TensorType], result: TensorType
    ) -> tuple[Multiplier, Multiplier]:
        """The factors of a and of a b, computed in float32."""
        a, b, y = *map(scale_of, kinds), scale_of(result)
        straight = bounded_multiplier(float_ratio(a, over=y), 255)
        return straight, bounded_multiplier(float_ratio(a, b, over=y), 255 * 255)

    def second_moment(self, operands: Sequence[float]) -> float:
        """Slopes are small."""
        return activated_moment(self.act, 0.5 * operands[0])


def prelu(x: Tensor, *, name: str | None = None) -> Tensor:
    """Rectified linear unit with a learned slope `b` below zero for each channel."""
    b = parameter(value_name("prelu", name), "b", per_channel(x.shape))
    return apply(Prelu(), x, b, name=name)
