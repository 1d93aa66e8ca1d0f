"""ceil: the least whole number not below x, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Ceil(ElementwiseActivation):
    """Least whole number that is not below x."""

    operator_name: ClassVar[str] = "ceil"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (0.3336, 0.9997)

    def activate(self, x: Array) -> Array:
        """numpy.ceil."""
        return np.ceil(x)


def ceil(x: Tensor, *, name: str | None = None) -> Tensor:
    """Least whole number that is not below x."""
    return apply(Ceil(), x, name=name)
