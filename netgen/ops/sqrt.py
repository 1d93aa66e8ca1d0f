"""sqrt: the square root, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.magnitude import Range
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Sqrt(ElementwiseActivation):
    """Square root; NaN below zero."""

    operator_name: ClassVar[str] = "sqrt"
    # By integration, where x has the mean square 1 and 1/2, of |x|.
    squares: ClassVar[tuple[float, float]] = (0.3305, 0.4674)
    limits: ClassVar[Range] = (0.0, inf)
    domain: ClassVar[Range] = (0.0, inf)

    def activate(self, x: Array) -> Array:
        """numpy.sqrt."""
        with np.errstate(invalid="ignore"):
            return np.sqrt(x)


def sqrt(x: Tensor, *, name: str | None = None) -> Tensor:
    """Square root; NaN below zero."""
    return apply(Sqrt(), x, name=name)
