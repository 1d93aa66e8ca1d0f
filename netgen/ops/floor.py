"""floor: the greatest whole number not above x, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Floor(ElementwiseActivation):
    """Greatest whole number that is not above x."""

    operator_name: ClassVar[str] = "floor"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (0.3336, 0.9997)

    def activate(self, x: Array) -> Array:
        """numpy.floor."""
        return np.floor(x)


def floor(x: Tensor, *, name: str | None = None) -> Tensor:
    """Greatest whole number that is not above x."""
    return apply(Floor(), x, name=name)
