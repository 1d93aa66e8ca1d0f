"""hard_sigmoid: y = min(max(x + 3, 0), 6) / 6, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.magnitude import Range
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class HardSigmoid(ElementwiseActivation):
    """Piecewise linear sigmoid (Howard et al. 2019, MobileNetV3)."""

    operator_name: ClassVar[str] = "hard_sigmoid"
    # By integration, to three digits: 1/2, and a little that grows with the argument.
    squares: ClassVar[tuple[float, float]] = (0.25, 0.028)
    limits: ClassVar[Range] = (0.0, 1.0)

    def activate(self, x: Array) -> Array:
        """0 below -3, 1 above 3, a line between."""
        return np.clip(x + 3.0, 0.0, 6.0) / 6.0


def hard_sigmoid(x: Tensor, *, name: str | None = None) -> Tensor:
    """Piecewise linear sigmoid (Howard et al. 2019, MobileNetV3)."""
    return apply(HardSigmoid(), x, name=name)
