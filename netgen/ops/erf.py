"""erf: the error function, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from math import erf as error_function
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.magnitude import Range
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation

_erf = np.vectorize(error_function, otypes=[np.float64])


@dataclass(frozen=True)
class Erf(ElementwiseActivation):
    """Error function: 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""

    operator_name: ClassVar[str] = "erf"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (0.2021, 0.2625)
    limits: ClassVar[Range] = (-1.0, 1.0)

    def activate(self, x: Array) -> Array:
        """math.erf of each element."""
        found: Array = _erf(x)
        return found


def erf(x: Tensor, *, name: str | None = None) -> Tensor:
    """Error function: 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    return apply(Erf(), x, name=name)
