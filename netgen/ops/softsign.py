"""softsign: y = x / (1 + |x|), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.magnitude import Range
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Softsign(ElementwiseActivation):
    """x over one more than its size."""

    operator_name: ClassVar[str] = "softsign"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (0.0737, 0.1093)
    limits: ClassVar[Range] = (-1.0, 1.0)

    def activate(self, x: Array) -> Array:
        """The formula."""
        return x / (1.0 + np.abs(x))


def softsign(x: Tensor, *, name: str | None = None) -> Tensor:
    """X over one more than its size."""
    return apply(Softsign(), x, name=name)
