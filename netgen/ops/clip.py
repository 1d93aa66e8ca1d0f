"""clip: y = x, at least low and at most high, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation, finite


@dataclass(frozen=True)
class Clip(ElementwiseActivation):
    """x within the limits `low` and `high`."""

    operator_name: ClassVar[str] = "clip"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (0.2261, 0.2899)
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        finite("low", self.low)
        finite("high", self.high)

    def activate(self, x: Array) -> Array:
        """numpy.maximum and numpy.minimum; NaN stays NaN."""
        return np.minimum(np.maximum(x, self.low), self.high)


def clip(x: Tensor, *, low: float = -1.0, high: float = 1.0, name: str | None = None) -> Tensor:
    """X within the limits `low` and `high`."""
    with located():
        op = Clip(low, high)
    return apply(op, x, name=name)
