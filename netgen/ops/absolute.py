"""absolute: y = |x|, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.magnitude import Range
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.fixed_point import bounded_multiplier, float_ratio
from netgen.ops.rescaled import own_codes, scale_of


@dataclass(frozen=True)
class Absolute(ElementwiseActivation):
    """Absolute value; of codes that of their distance from the zero point, rescaled."""

    operator_name: ClassVar[str] = "absolute"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8"})
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (0.0, 1.0)
    limits: ClassVar[Range] = (0.0, inf)
    unchanged: ClassVar[Range | None] = (0.0, inf)

    def activate(self, x: Array) -> Array:
        """numpy.abs."""
        return np.abs(x)

    def codes(self, x: Array, kind: TensorType, result: TensorType) -> Array:
        """A product in fixed point, unless both scales are equal.

        Source: TensorFlow Lite, `elementwise.cc`, AbsEvalQuantized, SetAbsOutputMultiplier.
        """
        distance: Array = np.abs(x.astype(np.int64) - kind.zero)
        if scale_of(kind) != scale_of(result):
            ratio = float_ratio(scale_of(kind), over=scale_of(result))
            distance = bounded_multiplier(ratio, 255).times(distance)
        return distance + result.zero


def absolute(
    x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """Absolute value; of codes with this scale, or with that of x."""
    with located():
        op = Absolute(**own_codes(scale, zero))
    return apply(op, x, name=name)
