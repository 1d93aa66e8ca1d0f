"""mirror_pad: a frame of the image's own rows and columns, mirrored at its edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.attributes import ONE_FOR_ALL
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.rows import Reach, reach_of
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.window import check_rank, four_sides

_MODES = ("reflect", "symmetric")


@dataclass(frozen=True)
class MirrorPad(Operator):
    """A frame around x [1,H,W,C]; pad is (top, bottom, left, right).

    `reflect` mirrors at the middle of the outermost pixels, `symmetric` at their outer side, so
    that they stand there twice. Source: numpy.pad, whose words these are; TensorFlow, MirrorPad.
    """

    operator_name: ClassVar[str] = "mirror_pad"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    axis_letters: ClassVar[str] = "NHWC"
    pad: tuple[int, int, int, int] = field(default=(0, 0, 0, 0), metadata=ONE_FOR_ALL)
    mode: str = "reflect"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "pad", four_sides(self.pad, "pad"))
        if self.mode not in _MODES:
            raise GraphError(
                "an unknown mode", expected=f"one of {', '.join(_MODES)}", found=self.mode
            )

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """[1, H + top + bottom, W + left + right, C]; raises GraphError for more than x has."""
        x = operands[0]
        check_rank(x, 4, "x")
        _, rows, columns, channels = x.shape
        top, bottom, left, right = self.pad
        spared = 1 if self.mode == "reflect" else 0
        if max(top, bottom) > rows - spared or max(left, right) > columns - spared:
            raise GraphError(
                "a frame that is wider than what is mirrored",
                expected=f"at most {rows - spared} rows and {columns - spared} columns",
                found=str(self.pad),
            )
        return x.with_shape((1, rows + top + bottom, columns + left + right, channels))

    def places(self, x: TensorType, axis: int) -> Array:
        """The row, or column, of x that each one of the result is."""
        extent, (before, behind) = x.shape[1 + axis], self.pad[2 * axis : 2 * axis + 2]
        at, twice = np.arange(-before, extent + behind), int(self.mode == "symmetric")
        at = np.where(at < 0, -at - twice, at)
        return np.where(at >= extent, 2 * extent - 2 + twice - at, at)

    def is_identity(self, operands: Sequence[TensorType], result: TensorType) -> bool:
        """Whether there is no frame."""
        del operands, result
        return not any(self.pad)

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """One row; near the edges also those on the way to it, since rows then go back."""
        del letter, result
        rows = self.places(operands["x"], 0)
        first = np.minimum.accumulate(rows[::-1])[::-1]
        last = np.maximum.accumulate(rows)
        return reach_of([*zip(first.tolist(), last.tolist(), strict=True)], 1, 1)

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """numpy.pad."""
        top, bottom, left, right = self.pad
        sides = ((0, 0), (top, bottom), (left, right), (0, 0))
        if self.mode == "reflect":
            return np.pad(operands[0], sides, "reflect")
        return np.pad(operands[0], sides, "symmetric")


def mirror_pad(
    x: Tensor,
    sides: int | tuple[int, int, int, int],
    mode: str = "reflect",
    *,
    name: str | None = None,
) -> Tensor:
    """A mirrored frame on all sides alike, or of (top, bottom, left, right).

    mode: reflect, or symmetric, which repeats the outermost pixels.
    """
    with located():
        op = MirrorPad(four_sides(sides, "pad"), mode)
    return apply(op, x, name=name)
