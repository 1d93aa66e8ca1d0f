"""global_avg_pool: y[c] = mean over i,j of x[i,j,c]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.operator import Operator, Signature
from netgen.ir.rows import Reach
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.window import check_rank


@dataclass(frozen=True)
class GlobalAvgPool(Operator):
    """Mean over all pixels of x f32[1,H,W,C]: f32[1,1,1,C]."""

    operator_name: ClassVar[str] = "global_avg_pool"
    axis_letters: ClassVar[str] = "NHWC"
    keeps_range: ClassVar[bool] = True
    sums_rows: ClassVar[bool] = True

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1,1,1,C]."""
        check_rank(operands[0], 4, "x")
        return operands[0].with_shape((1, 1, 1, operands[0].shape[3]))

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """numpy.mean."""
        return np.asarray(operands[0].mean(axis=(1, 2), keepdims=True))

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """The row that is added next."""
        del letter, operands, result
        return Reach()

    def reference_sum(
        self, before: Array, x: Array, signature: Signature, first: int, end: int
    ) -> Array:
        """Sums, rounded to float32 in the order of rows, and divided behind the last one."""
        _, height, width, _ = signature.operands[0].shape
        total = before.astype(np.float32)
        for row in range(first, end):
            total = total + x[:, row : row + 1].sum(axis=2, keepdims=True).astype(np.float32)
        return total / np.float32(height * width) if end == height else total

    def second_moment(self, operands: Sequence[float]) -> float:
        """Assume rectified values: of their mean square 1/2 the mean's square 1/(2 pi) survives.

        For zero-mean values this is too much; the factor then only makes the classifier smaller.
        """
        return operands[0] / 3.0


def global_avg_pool(x: Tensor, *, name: str | None = None) -> Tensor:
    """Mean over all pixels."""
    return apply(GlobalAvgPool(), x, name=name)
