"""matmul: y[..., i, j] = sum over k of a[..., i, k] b[..., k, j], of two activations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.errors import GraphError
from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.broadcast import broadcast


@dataclass(frozen=True)
class Matmul(Operator):
    """Products of matrices, the last two axes; the axes before them are broadcast."""

    operator_name: ClassVar[str] = "matmul"
    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """[..., I, J] of [..., I, K] and [..., K, J]."""
        a, b = operands
        ahead = broadcast([a.shape[:-2], b.shape[:-2]]) if len(a.shape) == len(b.shape) else None
        if len(a.shape) < 2 or ahead is None or a.shape[-1] != b.shape[-2]:
            raise GraphError(
                "these matrices cannot be multiplied",
                expected="[..., I, K] and [..., K, J] of one rank",
                found=f"{list(a.shape)} and {list(b.shape)}",
            )
        return a.with_shape((*ahead, a.shape[-2], b.shape[-1]))

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """numpy.einsum, without BLAS."""
        a, b = operands
        return np.asarray(np.einsum("...ik,...kj->...ij", a, b, optimize=False))

    def macs(self, operands: Sequence[TensorType], result: TensorType) -> int:
        """One for each k of every element."""
        return result.elements * operands[0].shape[-1]

    def keeps_channels(self, letter: str) -> bool:
        """No: they are summed over."""
        del letter
        return False

    def second_moment(self, operands: Sequence[float]) -> float:
        """Product of those of independent values, as of one k."""
        return prod(operands)


def matmul(a: Tensor, b: Tensor, *, name: str | None = None) -> Tensor:
    """Product of matrices, the last two axes of two activations."""
    return apply(Matmul(), a, b, name=name)
