"""reduce_sum: the sum along some axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.tensor_type import Array
from netgen.ops.reduction import Reduction


@dataclass(frozen=True)
class ReduceSum(Reduction):
    """The sum along `axes`, which keep the extent 1."""

    operator_name: ClassVar[str] = "reduce_sum"

    def reduced(self, x: Array) -> Array:
        """numpy.sum."""
        return np.asarray(x.sum(axis=self.axes, keepdims=True))

    def second_moment(self, operands: Sequence[float]) -> float:
        """Not known without the shape of x: as of one element."""
        return operands[0]


def reduce_sum(x: Tensor, axes: tuple[int, ...], *, name: str | None = None) -> Tensor:
    """The sum along these axes, batch dimension included."""
    with located():
        op = ReduceSum(axes)
    return apply(op, x, name=name)
