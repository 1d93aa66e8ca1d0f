"""assign: y = x, where y is the memory of a state; the plan adds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class Assign(Operator):
    """The value itself, as what a state becomes.

    Elements that follow each other in memory, before and after, are moved as one block: x may then
    stand in part where y does.
    """

    operator_name: ClassVar[str] = "assign"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    keeps_spread: ClassVar[bool] = True

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Keep the type of x."""
        return operands[0]

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Return x itself."""
        return operands[0]
