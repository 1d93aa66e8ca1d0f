"""table: y = w, a constant as an activation, for operators that take no constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class Table(Operator):
    """A constant that is copied into memory: where it is joined to activations, or is an output."""

    operator_name: ClassVar[str] = "table"
    operand_names: ClassVar[tuple[str, ...]] = ("w",)

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The type of the constant."""
        return operands[0]

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """The constant."""
        return operands[0]

    @property
    def is_weighted(self) -> bool:
        """No: nothing is multiplied."""
        return False

    def second_moment(self, operands: Sequence[float]) -> float:
        """Nothing is known of a constant: as of weights."""
        del operands
        return 1.0


def table(w: Tensor, *, name: str | None = None) -> Tensor:
    """A constant as an activation."""
    return apply(Table(), w, name=name)
