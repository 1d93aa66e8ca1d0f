"""add: y = act(a + b), elementwise, without broadcasting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activate, activated_moment, check_activation
from netgen.ops.window import check_shape


@dataclass(frozen=True)
class Add(Operator):
    """Sum of two values of one type."""

    operator_name: ClassVar[str] = "add"
    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")
    act: str = "none"

    def __post_init__(self) -> None:
        check_activation(self.act)

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Both types, which are one."""
        a, b = operands
        check_shape(b, a.shape, "the second operand")
        return a

    def reference(self, operands: Sequence[Array]) -> Array:
        """Add elementwise."""
        return activate(self.act, operands[0] + operands[1])

    def second_moment(self, operands: Sequence[float]) -> float:
        """Add mean squares, as for independent values."""
        return activated_moment(self.act, sum(operands))


def add(a: Tensor, b: Tensor, *, name: str | None = None) -> Tensor:
    """Sum of two tensors of one shape; `a + b` is the same."""
    return apply(Add(), a, b, name=name)
