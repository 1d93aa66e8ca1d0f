"""gelu: y = x (1 + erf(x / sqrt 2)) / 2, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.erf import Erf


@dataclass(frozen=True)
class Gelu(ElementwiseActivation):
    """x times the share of a normal value that is below it (Hendrycks and Gimpel 2016)."""

    operator_name: ClassVar[str] = "gelu"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (-0.0461, 0.4713)

    def activate(self, x: Array) -> Array:
        """The formula with math.erf."""
        return 0.5 * x * (1.0 + Erf().activate(x / np.sqrt(2.0)))


def gelu(x: Tensor, *, name: str | None = None) -> Tensor:
    """X times the share of a normal value that is below it (Hendrycks and Gimpel 2016)."""
    return apply(Gelu(), x, name=name)
