"""hard_sigmoid: y = min(max(x + 3, 0), 6) / 6, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class HardSigmoid(ElementwiseActivation):
    """Piecewise linear sigmoid (Howard et al. 2019, MobileNetV3)."""

    operator_name: ClassVar[str] = "hard_sigmoid"


def hard_sigmoid(x: Tensor, *, name: str | None = None) -> Tensor:
    """Piecewise linear sigmoid (Howard et al. 2019, MobileNetV3)."""
    return apply(HardSigmoid(), x, name=name)
