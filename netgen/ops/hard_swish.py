"""hard_swish: y = x min(max(x + 3, 0), 6) / 6, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class HardSwish(ElementwiseActivation):
    """Hard swish (Howard et al. 2019, MobileNetV3)."""

    operator_name: ClassVar[str] = "hard_swish"


def hard_swish(x: Tensor, *, name: str | None = None) -> Tensor:
    """Hard swish (Howard et al. 2019, MobileNetV3)."""
    return apply(HardSwish(), x, name=name)
