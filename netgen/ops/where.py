"""where: y = a where c is not 0, else b, elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.errors import GraphError
from netgen.ir.magnitude import Range
from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.broadcast import broadcast


@dataclass(frozen=True)
class Where(Operator):
    """Elements of a or of b, as a mask of floats says; all three are broadcast."""

    operator_name: ClassVar[str] = "where"
    operand_names: ClassVar[tuple[str, ...]] = ("c", "a", "b")
    same_place: ClassVar[frozenset[str]] = frozenset({"c", "a", "b"})

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The shape that all operands are broadcast to."""
        shape = broadcast([kind.shape for kind in operands])
        if shape is None:
            raise GraphError(
                "the operands have shapes that do not fit",
                expected="extents that are equal, or 1",
                found=", ".join(str(list(kind.shape)) for kind in operands),
            )
        return operands[1].with_shape(shape)

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """numpy.where."""
        c, a, b = operands
        return np.where(c != 0.0, a, b)

    def value_range(self, operands: Sequence[Range]) -> Range:
        """Numbers of a and of b."""
        chosen = operands[-2:]
        return min(low for low, _ in chosen), max(high for _, high in chosen)

    def second_moment(self, operands: Sequence[float]) -> float:
        """The larger one of those of a and b."""
        return max(operands[-2:])


def where(c: Tensor, a: Tensor, b: Tensor, *, name: str | None = None) -> Tensor:
    """Elements of a where c is not 0, else of b."""
    return apply(Where(), c, a, b, name=name)
