"""gelu_tanh: y = x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class GeluTanh(ElementwiseActivation):
    """GELU in terms of tanh (Hendrycks and Gimpel 2016)."""

    operator_name: ClassVar[str] = "gelu_tanh"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (-0.0462, 0.4713)

    def activate(self, x: Array) -> Array:
        """The formula."""
        inner = np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3)
        return np.asarray(0.5 * x * (1.0 + np.tanh(inner)))


def gelu_tanh(x: Tensor, *, name: str | None = None) -> Tensor:
    """GELU in terms of tanh (Hendrycks and Gimpel 2016)."""
    return apply(GeluTanh(), x, name=name)
