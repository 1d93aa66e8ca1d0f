"""reduce_max: the greatest element along some axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.tensor_type import Array
from netgen.ops.reduction import Reduction


@dataclass(frozen=True)
class ReduceMax(Reduction):
    """The greatest element along `axes`, which keep the extent 1."""

    operator_name: ClassVar[str] = "reduce_max"
    keeps_range: ClassVar[bool] = True

    def reduced(self, x: Array) -> Array:
        """numpy.max."""
        return np.asarray(x.max(axis=self.axes, keepdims=True))

    def second_moment(self, operands: Sequence[float]) -> float:
        """A few times that of x."""
        return 2.0 * operands[0]


def reduce_max(x: Tensor, axes: tuple[int, ...], *, name: str | None = None) -> Tensor:
    """The greatest element along these axes, batch dimension included."""
    with located():
        op = ReduceMax(axes)
    return apply(op, x, name=name)
