"""relu6: y = min(max(x, 0), 6), elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activate, activated_moment


@dataclass(frozen=True)
class Relu6(Operator):
    """Rectified linear unit capped at 6 (Howard et al. 2017, MobileNets)."""

    operator_name: ClassVar[str] = "relu6"

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Keep the type of x."""
        return operands[0]

    def reference(self, operands: Sequence[Array]) -> Array:
        """Elementwise; NaN stays NaN."""
        return activate(self.operator_name, operands[0])

    def second_moment(self, operands: Sequence[float]) -> float:
        """Assume a centred normal value before the activation."""
        return activated_moment(self.operator_name, operands[0])


def relu6(x: Tensor, *, name: str | None = None) -> Tensor:
    """Rectified linear unit capped at 6 (Howard et al. 2017, MobileNets)."""
    return apply(Relu6(), x, name=name)
