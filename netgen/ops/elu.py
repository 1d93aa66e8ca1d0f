"""elu: y = x, below zero alpha (e^x - 1), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.magnitude import Range
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation, finite


@dataclass(frozen=True)
class Elu(ElementwiseActivation):
    """Exponential linear unit (Clevert et al. 2015)."""

    operator_name: ClassVar[str] = "elu"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (0.0513, 0.5937)
    unchanged: ClassVar[Range | None] = (0.0, inf)
    alpha: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        finite("alpha", self.alpha)

    def activate(self, x: Array) -> Array:
        """The formula."""
        return np.where(x >= 0.0, x, self.alpha * np.expm1(np.minimum(x, 0.0)))


def elu(x: Tensor, *, alpha: float = 1.0, name: str | None = None) -> Tensor:
    """Exponential linear unit (Clevert et al. 2015)."""
    with located():
        op = Elu(alpha)
    return apply(op, x, name=name)
