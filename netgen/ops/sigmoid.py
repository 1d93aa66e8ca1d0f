"""sigmoid: y = 1 / (1 + exp(-x)), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Sigmoid(ElementwiseActivation):
    """Logistic function."""

    operator_name: ClassVar[str] = "sigmoid"


def sigmoid(x: Tensor, *, name: str | None = None) -> Tensor:
    """Logistic function."""
    return apply(Sigmoid(), x, name=name)
