"""leaky_relu: y = x if x >= 0, else alpha x, elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.magnitude import Range, Spread
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.fixed_point import bounded_multiplier, float_ratio
from netgen.ops.rescaled import own_codes, scale_of

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class LeakyRelu(ElementwiseActivation):
    """Rectified linear unit with the slope `alpha` below zero (Maas et al. 2013)."""

    operator_name: ClassVar[str] = "leaky_relu"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8"})
    unchanged: ClassVar[Range | None] = (0.0, inf)
    alpha: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if not abs(self.alpha) <= _LARGEST:
            raise GraphError("alpha must be a finite float32", found=str(self.alpha))
        # Adding zero makes +0 of -0, whose sign some forms of the C would lose.
        object.__setattr__(self, "alpha", self.alpha + 0.0)

    def activate(self, x: Array) -> Array:
        """The formula as it stands; -0 stays -0."""
        return np.where(x >= 0.0, x, self.alpha * x)

    def codes(self, x: Array, kind: TensorType, result: TensorType) -> Array:
        """Rescaled by one of two multipliers, whose real numbers are computed in float32.

        Source: TensorFlow Lite, `activations.cc`, LeakyReluPrepare; `reference/leaky_relu.h`.
        """
        before, behind = scale_of(kind), scale_of(result)
        straight = bounded_multiplier(float_ratio(before, over=behind), 255)
        leak = bounded_multiplier(float_ratio(before, abs(self.alpha), over=behind), 255)
        centred = x - kind.zero
        leaked = leak.times(centred) * (-1 if self.alpha < 0.0 else 1)
        return np.where(centred >= 0, straight.times(centred), leaked) + result.zero

    def second_moment(self, operands: Sequence[float]) -> float:
        """The share above zero stays, the rest leaks; of a centred value each is a half."""
        return self.spread([Spread(operands[0], 0.5)]).square

    def spread(self, operands: Sequence[Spread]) -> Spread:
        """The spread of x, its negative part times alpha; a negative alpha makes it positive."""
        square, above = operands[0].square, operands[0].above
        leak = self.alpha**2 * (1.0 - above)
        return Spread(square * (above + leak), above / (above + leak) if self.alpha >= 0.0 else 1.0)


def leaky_relu(
    x: Tensor,
    scale: float | None = None,
    zero: int = 0,
    *,
    alpha: float = 0.01,
    name: str | None = None,
) -> Tensor:
    """Rectified linear unit with the slope `alpha` below zero (Maas et al. 2013).

    Codes have this scale, or that of x.
    """
    with located():
        op = LeakyRelu(alpha, **own_codes(scale, zero))
    return apply(op, x, name=name)
