"""Reductions: one number of all along some axes, which keep the extent 1."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from netgen.errors import GraphError
from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class Reduction(Operator):
    """Base of the reductions of x along `axes`, in ascending order; floats only."""

    axes: tuple[int, ...] = ()

    operator_name: ClassVar[str]

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The shape of x, but for extents of 1."""
        (x,) = operands
        rank = len(x.shape)
        if not self.axes or list(self.axes) != sorted({*self.axes} & {*range(rank)}):
            raise GraphError(
                "the axes of a reduction must be some of its operand's, in ascending order",
                expected=f"some of 0 to {rank - 1}",
                found=str(list(self.axes)),
            )
        return x.with_shape(
            tuple(1 if axis in self.axes else extent for axis, extent in enumerate(x.shape))
        )

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Reduce in float64."""
        return self.reduced(operands[0])

    @abstractmethod
    def reduced(self, x: Array) -> Array:
        """NumPy meaning."""

    def count(self, x: Sequence[int]) -> int:
        """The number of elements of an operand of this shape that become one."""
        return prod(x[axis] for axis in self.axes)

    def keeps_channels(self, letter: str) -> bool:
        """Whether channels are mixed is a matter of the rank: suppose that they are."""
        del letter
        return False
