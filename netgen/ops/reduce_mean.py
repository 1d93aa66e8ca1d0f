"""reduce_mean: the mean along some axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.tensor_type import Array
from netgen.ops.reduction import Reduction


@dataclass(frozen=True)
class ReduceMean(Reduction):
    """The mean along `axes`, which keep the extent 1."""

    operator_name: ClassVar[str] = "reduce_mean"
    keeps_range: ClassVar[bool] = True

    def reduced(self, x: Array) -> Array:
        """numpy.mean."""
        return np.asarray(x.mean(axis=self.axes, keepdims=True))

    def second_moment(self, operands: Sequence[float]) -> float:
        """The same as of a global average."""
        return operands[0] / 3.0


def reduce_mean(x: Tensor, axes: tuple[int, ...], *, name: str | None = None) -> Tensor:
    """The mean along these axes, batch dimension included."""
    with located():
        op = ReduceMean(axes)
    return apply(op, x, name=name)
