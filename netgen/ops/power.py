"""power: x to a constant exponent, elementwise."""

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
class Power(ElementwiseActivation):
    """x to the power of `exponent`, which is e^(exponent log x): NaN below zero."""

    operator_name: ClassVar[str] = "power"
    # By integration, where x has the mean square 1 and 1/2, of |x|.
    squares: ClassVar[tuple[float, float]] = (0.1627, 0.6973)
    limits: ClassVar[Range] = (0.0, inf)
    domain: ClassVar[Range] = (0.0, inf)
    exponent: float = 0.75

    def __post_init__(self) -> None:
        super().__post_init__()
        finite("exponent", self.exponent)

    def activate(self, x: Array) -> Array:
        """The formula in logarithms."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.exp(self.exponent * np.log(x))


def power(x: Tensor, *, exponent: float = 0.75, name: str | None = None) -> Tensor:
    """X to the power of `exponent`, which is e^(exponent log x): NaN below zero."""
    with located():
        op = Power(exponent)
    return apply(op, x, name=name)
