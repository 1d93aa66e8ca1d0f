"""round_even: the nearest whole number, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class RoundEven(ElementwiseActivation):
    """Nearest whole number, halves to even."""

    operator_name: ClassVar[str] = "round_even"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (0.0832, 1.0001)

    def activate(self, x: Array) -> Array:
        """numpy.rint."""
        return np.rint(x)


def round_even(x: Tensor, *, name: str | None = None) -> Tensor:
    """Nearest whole number, halves to even."""
    return apply(RoundEven(), x, name=name)
