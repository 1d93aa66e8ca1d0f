"""sign: -1, 0 or 1, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.magnitude import Range
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Sign(ElementwiseActivation):
    """Sign: -1 below zero, 1 above, 0 of zero."""

    operator_name: ClassVar[str] = "sign"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (1.0, 0.0)
    limits: ClassVar[Range] = (-1.0, 1.0)

    def activate(self, x: Array) -> Array:
        """numpy.sign."""
        return np.sign(x)


def sign(x: Tensor, *, name: str | None = None) -> Tensor:
    """Sign: -1 below zero, 1 above, 0 of zero."""
    return apply(Sign(), x, name=name)
