"""reduce_prod: the product along some axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.tensor_type import Array
from netgen.ops.reduction import Reduction


@dataclass(frozen=True)
class ReduceProd(Reduction):
    """The product along `axes`, which keep the extent 1."""

    operator_name: ClassVar[str] = "reduce_prod"

    def reduced(self, x: Array) -> Array:
        """numpy.prod."""
        return np.asarray(x.prod(axis=self.axes, keepdims=True))

    def second_moment(self, operands: Sequence[float]) -> float:
        """The mean square of one element."""
        return operands[0]


def reduce_prod(x: Tensor, axes: tuple[int, ...], *, name: str | None = None) -> Tensor:
    """The product along these axes, batch dimension included."""
    with located():
        op = ReduceProd(axes)
    return apply(op, x, name=name)
