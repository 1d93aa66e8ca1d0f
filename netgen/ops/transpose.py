"""transpose: the axes of a value in another order, y[i] = x[i permuted]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class Transpose(Operator):
    """Axis `k` of the result is axis `axes[k]` of x: (0, 2, 3, 1) makes NHWC of NCHW.

    Networks need none: it stands at the edge of a network whose interface is channels first.
    """

    operator_name: ClassVar[str] = "transpose"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    axes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if sorted(self.axes) != list(range(len(self.axes))):
            raise GraphError(
                "the axes of a transpose must name every axis once", found=str(list(self.axes))
            )

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The extents of x in the order of `axes`."""
        x = operands[0]
        if len(x.shape) != len(self.axes):
            raise GraphError(
                "a transpose names every axis of its operand",
                expected=f"{len(x.shape)} axes",
                found=str(list(self.axes)),
            )
        return x.with_shape(tuple(x.shape[axis] for axis in self.axes))

    def axis_sources(self, x: Sequence[int], y: Sequence[int]) -> tuple[int | None, ...]:
        """Axes trade places."""
        del x, y
        return self.axes

    def keeps_channels(self, letter: str) -> bool:
        """Whether the last axis stays the last."""
        del letter
        return self.axes[-1] == len(self.axes) - 1

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """numpy.transpose."""
        return np.ascontiguousarray(operands[0].transpose(self.axes))


def transpose(x: Tensor, axes: tuple[int, ...], *, name: str | None = None) -> Tensor:
    """Reorder the axes, batch dimension included."""
    with located():
        op = Transpose(axes)
    return apply(op, x, name=name)
