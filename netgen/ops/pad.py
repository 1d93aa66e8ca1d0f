"""pad: zeros around the image, rows and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.attributes import ONE_FOR_ALL
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.rows import Reach
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.window import check_rank, four_sides


@dataclass(frozen=True)
class Pad(Operator):
    """Zero padding of x f32[1,H,W,C]; pad is (top, bottom, left, right).

    The zero of codes is their zero point.
    """

    operator_name: ClassVar[str] = "pad"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    fate: ClassVar[str] = "pads, now padding of the windows behind them"
    axis_letters: ClassVar[str] = "NHWC"
    pad: tuple[int, int, int, int] = field(default=(0, 0, 0, 0), metadata=ONE_FOR_ALL)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "pad", four_sides(self.pad, "pad"))

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1, H + top + bottom, W + left + right, C]."""
        x = operands[0]
        check_rank(x, 4, "x")
        top, bottom, left, right = self.pad
        _, rows, columns, channels = x.shape
        return x.with_shape((1, rows + top + bottom, columns + left + right, channels))

    def is_identity(self, operands: Sequence[TensorType], result: TensorType) -> bool:
        """Whether there are no zeros on any side."""
        del operands, result
        return not any(self.pad)

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """One row, as many further up as there are rows of zeros above."""
        del letter, operands, result
        return Reach(pad=self.pad[0])

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """numpy.pad with zeros, of codes with the zero point."""
        top, bottom, left, right = self.pad
        sides = ((0, 0), (top, bottom), (left, right), (0, 0))
        return np.pad(operands[0], sides, constant_values=signature.result.zero)


def pad(x: Tensor, sides: int | tuple[int, int, int, int], *, name: str | None = None) -> Tensor:
    """Zero padding by one number on all sides, or by (top, bottom, left, right).

    Channels are padded by `channel_pad`.
    """
    with located():
        op = Pad(four_sides(sides, "pad"))
    return apply(op, x, name=name)
