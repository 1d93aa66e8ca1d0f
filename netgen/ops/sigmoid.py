"""sigmoid: y = 1 / (1 + exp(-x)), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.magnitude import Range
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Sigmoid(ElementwiseActivation):
    """Logistic function."""

    operator_name: ClassVar[str] = "sigmoid"
    # By integration, to three digits: 1/2, and a little that grows with the argument.
    squares: ClassVar[tuple[float, float]] = (0.25, 0.043)
    limits: ClassVar[Range] = (0.0, 1.0)

    def activate(self, x: Array) -> Array:
        """1 / (1 + exp(-x)), below zero as exp(x) / (1 + exp(x)): nothing overflows."""
        power = np.exp(-np.abs(x))
        return np.where(x < 0.0, power, 1.0) / (1.0 + power)


def sigmoid(x: Tensor, *, name: str | None = None) -> Tensor:
    """Logistic function."""
    return apply(Sigmoid(), x, name=name)
