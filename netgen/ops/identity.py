"""identity: y = x; the pass `drop_identities` removes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class Identity(Operator):
    """The value itself."""

    operator_name: ClassVar[str] = "identity"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    keeps_spread: ClassVar[bool] = True
    fate: ClassVar[str] = "operators that do nothing, left out"
    same_place: ClassVar[frozenset[str]] = frozenset({"x"})

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


def identity(x: Tensor, *, name: str | None = None) -> Tensor:
    """Pass the value itself."""
    return apply(Identity(), x, name=name)
