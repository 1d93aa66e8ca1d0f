"""concat: the channels of all operands, one operand after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.magnitude import Spread
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.window import check_shape


@dataclass(frozen=True)
class Concat(Operator):
    """Operands x0, x1, ... of equal shape but for their channels, the last dimension."""

    operator_name: ClassVar[str] = "concat"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    view_of: ClassVar[Literal["nothing", "elements", "channels"]] = "channels"
    variadic: ClassVar[bool] = True

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1,H,W,C0+C1+...]; raises GraphError where other dimensions differ."""
        self.check_count(operands)
        pixels = operands[0].shape[:-1]
        for operand, letter in zip(operands, self.letters(len(operands)), strict=True):
            check_shape(operand, (*pixels, *operand.shape[-1:]), letter)
        channels = sum(operand.shape[-1] for operand in operands)
        return operands[0].with_shape((*pixels, channels))

    def channel_sources(self, channels: Sequence[int]) -> tuple[Array, Array]:
        """All of each operand, one operand after the other."""
        read = np.repeat(np.arange(len(channels)), channels)
        return read, np.concatenate([np.arange(count) for count in channels])

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """numpy.concatenate."""
        return np.concatenate(operands, axis=-1)

    def share_above(self, operands: Sequence[Spread]) -> float:
        """The mean, weighted by mean squares."""
        total = sum(operand.square for operand in operands)
        return sum(operand.square * operand.above for operand in operands) / total

    def second_moment(self, operands: Sequence[float]) -> float:
        """Take the mean, as for operands of equally many channels."""
        return sum(operands) / len(operands)


def concat(*operands: Tensor, name: str | None = None) -> Tensor:
    """Join tensors of one height and width along their channels."""
    return apply(Concat(), *operands, name=name)
