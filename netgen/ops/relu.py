"""relu: y = max(x, 0), elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.magnitude import Range, Spread
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Relu(ElementwiseActivation):
    """Rectified linear unit."""

    operator_name: ClassVar[str] = "relu"
    squares: ClassVar[tuple[float, float]] = (0.0, 0.5)
    limits: ClassVar[Range] = (0.0, inf)
    unchanged: ClassVar[Range | None] = (0.0, inf)

    def activate(self, x: Array) -> Array:
        """The larger of x and zero."""
        return np.maximum(x, 0.0)

    def spread(self, operands: Sequence[Spread]) -> Spread:
        """The spread of the numbers of x above zero."""
        return Spread(operands[0].square * operands[0].above, 1.0)


def relu(x: Tensor, *, name: str | None = None) -> Tensor:
    """Rectified linear unit."""
    return apply(Relu(), x, name=name)
