"""mish: y = x tanh(log(1 + e^x)), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Mish(ElementwiseActivation):
    """x times tanh of softplus (Misra 2019)."""

    operator_name: ClassVar[str] = "mish"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (-0.0252, 0.4775)

    def activate(self, x: Array) -> Array:
        """The formula."""
        return np.asarray(x * np.tanh(np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))))


def mish(x: Tensor, *, name: str | None = None) -> Tensor:
    """X times tanh of softplus (Misra 2019)."""
    return apply(Mish(), x, name=name)
