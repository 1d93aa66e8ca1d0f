"""expand: axes of extent 1 repeated, y[i, ...] = x[0, ...]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.broadcast import broadcast


@dataclass(frozen=True)
class Expand(Operator):
    """x broadcast to `shape`, of the same rank."""

    operator_name: ClassVar[str] = "expand"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    shape: tuple[int, ...] = ()

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The shape asked for."""
        (x,) = operands
        if broadcast([x.shape, self.shape]) != self.shape:
            raise GraphError(
                f"{x} cannot be broadcast to {list(self.shape)}",
                expected="extents that are equal, or 1 in the operand",
            )
        return x.with_shape(self.shape)

    def keeps_channels(self, letter: str) -> bool:
        """One channel may become many."""
        del letter
        return False

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """numpy.broadcast_to."""
        return np.ascontiguousarray(np.broadcast_to(operands[0], self.shape))


def expand(x: Tensor, shape: tuple[int, ...], *, name: str | None = None) -> Tensor:
    """Repeat axes of extent 1, batch dimension included."""
    with located():
        op = Expand(shape)
    return apply(op, x, name=name)
