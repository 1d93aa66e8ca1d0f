"""avg_pool2d: y[i,j,c] = (sum over r,s of x[i*u+r-p, j*v+s-q, c]) / n[i,j]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.attributes import ONE_FOR_ALL
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array
from netgen.ops.pooling import Pooling, inside, pooled, pooling_window
from netgen.ops.window import PadSpec, four_sides


@dataclass(frozen=True)
class AvgPool2d(Pooling):
    """Mean of each window of x f32[1,H,W,C], by channel; taps outside count as zero.

    n[i,j] is the number of taps that lie in the image or in the part `counted` of the padding (top,
    bottom, left, right). So the padding that only completes a last window need not count.
    """

    operator_name: ClassVar[str] = "avg_pool2d"
    counted: tuple[int, int, int, int] = field(default=(0, 0, 0, 0), metadata=ONE_FOR_ALL)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "counted", four_sides(self.counted, "counted"))
        if any(part > side for part, side in zip(self.counted, self.pad, strict=True)):
            raise GraphError(
                "more padding is counted than there is",
                expected=f"at most {self.pad}",
                found=str(self.counted),
            )

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Sums of what each window has of the image, over the number of places that count."""
        x, window = operands[0], self.window()
        rows, columns = (
            np.array([float(len(places)) for places in inside(window, axis, extent, counted)])
            for axis, extent, counted in (
                (0, x.shape[1], self.counted[:2]),
                (1, x.shape[2], self.counted[2:]),
            )
        )
        return pooled(window, x, "sum") / np.outer(rows, columns)[..., np.newaxis]

    def second_moment(self, operands: Sequence[float]) -> float:
        """Assume rectified, independent values: their variance shrinks, their mean stays.

        Of the mean square 1/2 of a rectified normal value the mean's square is 1/(2 pi).
        """
        taps = self.kernel[0] * self.kernel[1]
        return operands[0] * (0.318 + 0.682 / taps)


def avg_pool2d(
    x: Tensor,
    kernel: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    pad: PadSpec = 0,
    count_include_pad: bool = True,
    ceil_mode: bool = False,
    name: str | None = None,
) -> Tensor:
    """Mean of each window; the stride is the kernel's size unless given.

    pad: as in conv2d. count_include_pad: the padding counts in the mean, as torch has it; without,
    as TensorFlow has it. ceil_mode: a last, incomplete window counts, as torch defines it; what
    completes it never counts in the mean.
    """
    with located():
        window, sides = pooling_window(x, kernel, stride, pad, ceil_mode)
        counted = sides if count_include_pad else (0, 0, 0, 0)
        op = AvgPool2d(window.size, window.stride, window.pad, counted)
    return apply(op, x, name=name)
