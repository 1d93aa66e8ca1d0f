"""relu: y = max(x, 0), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Relu(ElementwiseActivation):
    """Rectified linear unit."""

    operator_name: ClassVar[str] = "relu"


def relu(x: Tensor, *, name: str | None = None) -> Tensor:
    """Rectified linear unit."""
    return apply(Relu(), x, name=name)
