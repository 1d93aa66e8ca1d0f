"""log: the natural logarithm, elementwise."""

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
class Log(ElementwiseActivation):
    """Natural logarithm; NaN below zero."""

    operator_name: ClassVar[str] = "log"
    domain: ClassVar[Range] = (0.0, inf)

    def activate(self, x: Array) -> Array:
        """numpy.log."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(x)

    def second_moment(self, operands: Sequence[float]) -> float:
        """The value of a normal x: log |x| has the mean log s - 0.635 and the variance pi^2 / 8."""
        return float((0.5 * np.log(operands[0]) - 0.6352) ** 2 + np.pi**2 / 8.0)


def log(x: Tensor, *, name: str | None = None) -> Tensor:
    """Natural logarithm; NaN below zero."""
    return apply(Log(), x, name=name)
