"""relu6: y = min(max(x, 0), 6), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Relu6(ElementwiseActivation):
    """Rectified linear unit capped at 6 (Howard et al. 2017, MobileNets)."""

    operator_name: ClassVar[str] = "relu6"


def relu6(x: Tensor, *, name: str | None = None) -> Tensor:
    """Rectified linear unit capped at 6 (Howard et al. 2017, MobileNets)."""
    return apply(Relu6(), x, name=name)
