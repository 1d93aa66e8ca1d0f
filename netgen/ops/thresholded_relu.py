"""thresholded_relu: y = x where x > alpha, else 0, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation, finite


@dataclass(frozen=True)
class ThresholdedRelu(ElementwiseActivation):
    """x above `alpha`, else zero (Konda et al. 2014)."""

    operator_name: ClassVar[str] = "thresholded_relu"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (-0.1144, 0.515)
    alpha: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        finite("alpha", self.alpha)

    def activate(self, x: Array) -> Array:
        """numpy.where; NaN stays NaN."""
        return np.where(x <= self.alpha, 0.0, x)


def thresholded_relu(x: Tensor, *, alpha: float = 1.0, name: str | None = None) -> Tensor:
    """X above `alpha`, else zero (Konda et al. 2014)."""
    with located():
        op = ThresholdedRelu(alpha)
    return apply(op, x, name=name)
