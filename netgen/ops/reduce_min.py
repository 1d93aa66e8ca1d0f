"""reduce_min: the least element along some axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.tensor_type import Array
from netgen.ops.reduction import Reduction


@dataclass(frozen=True)
class ReduceMin(Reduction):
    """The least element along `axes`, which keep the extent 1."""

    operator_name: ClassVar[str] = "reduce_min"
    keeps_range: ClassVar[bool] = True

    def reduced(self, x: Array) -> Array:
        """numpy.min."""
        return np.asarray(x.min(axis=self.axes, keepdims=True))

    def second_moment(self, operands: Sequence[float]) -> float:
        """A few times that of x."""
        return 2.0 * operands[0]


def reduce_min(x: Tensor, axes: tuple[int, ...], *, name: str | None = None) -> Tensor:
    """The least element along these axes, batch dimension included."""
    with located():
        op = ReduceMin(axes)
    return apply(op, x, name=name)
