"""strided_slice: y[i, ...] = x[first + i step, ...], along every axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.rows import Reach
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class StridedSlice(Operator):
    """The `first` element along every axis, the `size` of the result and the `step`, also back.

    Slices of channels and of pixels have operators of their own, which need not move anything.
    """

    operator_name: ClassVar[str] = "strided_slice"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    first: tuple[int, ...] = ()
    size: tuple[int, ...] = ()
    step: tuple[int, ...] = ()

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The shape `size`."""
        (x,) = operands
        rank = len(x.shape)
        if {len(self.first), len(self.size), len(self.step)} != {rank}:
            raise GraphError("a slice says something of every axis", expected=f"{rank} axes")
        for first, size, step, extent in zip(
            self.first, self.size, self.step, x.shape, strict=True
        ):
            last = first + (size - 1) * step
            if size < 1 or not step or not (0 <= first < extent and 0 <= last < extent):
                raise GraphError(
                    "a slice that leaves its operand",
                    expected=f"places 0 to {extent - 1}",
                    found=f"{size} from {first} to {last}",
                )
        return x.with_shape(self.size)

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """The same row where rows stay; else all rows."""
        del letter
        x = operands["x"]
        kept = all(
            (self.first[axis], self.step[axis], result.shape[axis]) == (0, 1, x.shape[axis])
            for axis in (0, 1)
        )
        return Reach() if kept else None

    def keeps_channels(self, letter: str) -> bool:
        """Channels may be left out, or turned round."""
        del letter
        return False

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Take what stands at these places, axis by axis."""
        (y,) = operands
        for axis, (first, size, step) in enumerate(
            zip(self.first, self.size, self.step, strict=True)
        ):
            y = np.take(y, first + step * np.arange(size), axis)
        return y


def strided_slice(
    x: Tensor,
    first: tuple[int, ...],
    size: tuple[int, ...],
    step: tuple[int, ...],
    *,
    name: str | None = None,
) -> Tensor:
    """Elements at equal distances along every axis, batch dimension included."""
    with located():
        op = StridedSlice(first, size, step)
    return apply(op, x, name=name)
