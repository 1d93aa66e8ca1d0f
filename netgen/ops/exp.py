"""exp: y = e^x, elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.magnitude import Range
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Exp(ElementwiseActivation):
    """Exponential function."""

    operator_name: ClassVar[str] = "exp"
    limits: ClassVar[Range] = (0.0, inf)

    def activate(self, x: Array) -> Array:
        """numpy.exp."""
        with np.errstate(over="ignore"):
            return np.exp(x)

    def second_moment(self, operands: Sequence[float]) -> float:
        """The value of a normal x."""
        return float(np.exp(2.0 * operands[0]))


def exp(x: Tensor, *, name: str | None = None) -> Tensor:
    """Exponential function."""
    return apply(Exp(), x, name=name)
