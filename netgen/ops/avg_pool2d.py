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
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.pooling import Pooling, inside, pooled, pooling_window
from netgen.ops.rescaled import saturated
from netgen.ops.window import PadSpec, four_sides

_LARGEST_SUM = 2**31 - 1


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

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1,OH,OW,C]; raises GraphError for codes of padding, and of windows too large."""
        result = super().infer(operands)
        element = result.element
        if element.is_float:
            return result
        if any(self.counted):
            raise GraphError("a mean of codes counts no padding", found=str(self.counted))
        taps = min(self.kernel[0], operands[0].shape[1]) * min(self.kernel[1], operands[0].shape[2])
        if taps * (element.high - element.low + 1) > _LARGEST_SUM:
            raise GraphError(
                "the sums of these codes are too large for int32",
                expected="smaller windows",
                found=f"{taps} codes of {element.name}",
            )
        return result

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """Sums of what each window has of the image, over the number of places that count.

        Of codes, as they are, halves go away from zero. Source: TensorFlow Lite,
        `reference/integer_ops/pooling.h`, AveragePool: half of the number is added to a sum above
        zero, else subtracted, before a division that truncates.
        """
        x, window = operands[0], self.window()
        rows, columns = (
            np.array([float(len(places)) for places in inside(window, axis, extent, counted)])
            for axis, extent, counted in (
                (0, x.shape[1], self.counted[:2]),
                (1, x.shape[2], self.counted[2:]),
            )
        )
        sums, counts = pooled(window, x, "sum"), np.outer(rows, columns)[..., np.newaxis]
        if signature.result.element.is_float:
            return np.asarray(sums / counts)
        whole = counts.astype(np.int64)
        means = np.sign(sums) * ((np.abs(sums) + whole // 2) // whole)
        return saturated(means, self.act, signature.result)

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
