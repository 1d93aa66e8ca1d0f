"""softplus: y = log(1 + e^x), elementwise."""

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
class Softplus(ElementwiseActivation):
    """Soft form of relu."""

    operator_name: ClassVar[str] = "softplus"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (0.4732, 0.448)
    limits: ClassVar[Range] = (0.0, inf)

    def activate(self, x: Array) -> Array:
        """numpy.logaddexp."""
        return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def softplus(x: Tensor, *, name: str | None = None) -> Tensor:
    """Soft form of relu."""
    return apply(Softplus(), x, name=name)
