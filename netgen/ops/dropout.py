"""dropout: y = x; the pass `drop_identities` removes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class Dropout(Operator):
    """Dropout at inference (Srivastava et al. 2014): the value itself."""

    operator_name: ClassVar[str] = "dropout"

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Keep the type of x."""
        return operands[0]

    def reference(self, operands: Sequence[Array]) -> Array:
        """Return x itself."""
        return operands[0]


def dropout(x: Tensor, *, name: str | None = None) -> Tensor:
    """Dropout at inference (Srivastava et al. 2014): the value itself."""
    return apply(Dropout(), x, name=name)
