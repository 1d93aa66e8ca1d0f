"""sigmoid: y = 1 / (1 + exp(-x)), elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activate, activated_moment


@dataclass(frozen=True)
class Sigmoid(Operator):
    """Logistic function."""

    operator_name: ClassVar[str] = "sigmoid"

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Keep the type of x."""
        return operands[0]

    def reference(self, operands: Sequence[Array]) -> Array:
        """Elementwise; NaN stays NaN."""
        return activate(self.operator_name, operands[0])

    def second_moment(self, operands: Sequence[float]) -> float:
        """Assume a centred normal value before the activation."""
        return activated_moment(self.operator_name, operands[0])


def sigmoid(x: Tensor, *, name: str | None = None) -> Tensor:
    """Logistic function."""
    return apply(Sigmoid(), x, name=name)
