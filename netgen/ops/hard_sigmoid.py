"""hard_sigmoid: y = min(max(x + 3, 0), 6) / 6, elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activate, activated_moment


@dataclass(frozen=True)
class HardSigmoid(Operator):
    """Piecewise linear sigmoid (Howard et al. 2019, MobileNetV3)."""

    operator_name: ClassVar[str] = "hard_sigmoid"

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Keep the type of x."""
        return operands[0]

    def reference(self, operands: Sequence[Array]) -> Array:
        """Elementwise; NaN stays NaN."""
        return activate(self.operator_name, operands[0])

    def second_moment(self, operands: Sequence[float]) -> float:
        """Assume a centred normal value before the activation."""
        return activated_moment(self.operator_name, operands[0])


def hard_sigmoid(x: Tensor, *, name: str | None = None) -> Tensor:
    """Piecewise linear sigmoid (Howard et al. 2019, MobileNetV3)."""
    return apply(HardSigmoid(), x, name=name)
