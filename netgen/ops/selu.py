"""selu: y = gamma x, below zero gamma alpha (e^x - 1), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Selu(ElementwiseActivation):
    """Scaled exponential linear unit (Klambauer et al. 2017)."""

    operator_name: ClassVar[str] = "selu"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (0.1584, 0.8416)

    def activate(self, x: Array) -> Array:
        """The formula; numbers as in the paper."""
        alpha, gamma = 1.6732632423543772, 1.0507009873554805
        return gamma * np.where(x >= 0.0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def selu(x: Tensor, *, name: str | None = None) -> Tensor:
    """Scaled exponential linear unit (Klambauer et al. 2017)."""
    return apply(Selu(), x, name=name)
