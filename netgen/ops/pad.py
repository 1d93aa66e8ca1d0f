"""pad: a frame around the image, rows and columns of zeros or of another number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.attributes import ONE_FOR_ALL
from netgen.ir.magnitude import Range
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.rows import Reach
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.window import check_rank, four_sides


@dataclass(frozen=True)
class Pad(Operator):
    """A frame around x f32[1,H,W,C]; pad is (top, bottom, left, right).

    The frame holds a `value`, exact in float32; of codes it is a whole number, which counts from
    the zero point: 0 is the number 0 there, too.
    """

    operator_name: ClassVar[str] = "pad"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    fate: ClassVar[str] = "pads, now padding of the windows behind them"
    axis_letters: ClassVar[str] = "NHWC"
    pad: tuple[int, int, int, int] = field(default=(0, 0, 0, 0), metadata=ONE_FOR_ALL)
    value: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "pad", four_sides(self.pad, "pad"))
        with np.errstate(over="ignore"):
            exact = math.isfinite(self.value) and float(np.float32(self.value)) == self.value
        if not exact:
            raise GraphError(
                "a frame of no float32", expected="a finite number", found=str(self.value)
            )

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1, H + top + bottom, W + left + right, C]; raises GraphError for what is no code."""
        x = operands[0]
        check_rank(x, 4, "x")
        self.border(x)
        top, bottom, left, right = self.pad
        _, rows, columns, channels = x.shape
        return x.with_shape((1, rows + top + bottom, columns + left + right, channels))

    def border(self, x: TensorType) -> float:
        """The element that the frame holds, of codes a whole number; raises GraphError for none."""
        if x.element.is_float:
            return self.value
        code = x.zero + self.value
        if code != int(code) or not x.element.low <= code <= x.element.high:
            raise GraphError(
                f"a frame of no {x.dtype}",
                expected=f"{x.element.low} to {x.element.high}",
                found=str(code),
            )
        return int(code)

    def value_range(self, operands: Sequence[Range]) -> Range:
        """The range of x, zero and the value."""
        ((low, high),) = operands
        return min(low, 0.0, self.value), max(high, 0.0, self.value)

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
        """numpy.pad with the border."""
        top, bottom, left, right = self.pad
        sides = ((0, 0), (top, bottom), (left, right), (0, 0))
        border = self.border(signature.result)
        return np.pad(operands[0], sides, constant_values=border)


def pad(
    x: Tensor,
    sides: int | tuple[int, int, int, int],
    value: float = 0.0,
    *,
    name: str | None = None,
) -> Tensor:
    """A frame of zeros on all sides alike, or of (top, bottom, left, right), or of another value.

    The value is rounded to float32; of codes it counts from the zero point. Channels are padded by
    `channel_pad`.
    """
    with located():
        op = Pad(four_sides(sides, "pad"), float(np.float32(value)))
    return apply(op, x, name=name)
