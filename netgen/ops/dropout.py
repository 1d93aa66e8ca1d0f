"""dropout: y = x; the pass `drop_identities` removes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class Dropout(Operator):
    """Dropout at inference (Srivastava et al. 2014): the value itself."""

    operator_name: ClassVar[str] = "dropout"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    keeps_spread: ClassVar[bool] = True
    fate: ClassVar[str] = "operators that do nothing, left out"

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Keep the type of x."""
        return operands[0]

    def is_identity(self, operands: Sequence[TensorType], result: TensorType) -> bool:
        """Always."""
        del operands, result
        return True

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Return x itself."""
        return operands[0]


def dropout(x: Tensor, *, name: str | None = None) -> Tensor:
    """Dropout at inference (Srivastava et al. 2014): the value itself."""
    return apply(Dropout(), x, name=name)
