"""absolute: y = |x|, elementwise."""

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
class Absolute(ElementwiseActivation):
    """Absolute value."""

    operator_name: ClassVar[str] = "absolute"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (0.0, 1.0)
    limits: ClassVar[Range] = (0.0, inf)
    unchanged: ClassVar[Range | None] = (0.0, inf)

    def activate(self, x: Array) -> Array:
        """numpy.abs."""
        return np.abs(x)


def absolute(x: Tensor, *, name: str | None = None) -> Tensor:
    """Absolute value."""
    return apply(Absolute(), x, name=name)
