"""max_pool2d: y[i,j,c] = max over r,s of x[i*u+r-p, j*v+s-q, c]."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array
from netgen.ops.pooling import Pooling, pooled, pooling_window
from netgen.ops.rescaled import saturated
from netgen.ops.window import PadSpec

# By the number of taps: mean square of the largest of as many rectified standard normal values,
# over that of one of them; by integration, to three digits.
_SECOND_MOMENT = {1: 1.0, 2: 1.82, 3: 2.5, 4: 3.09, 6: 4.04, 9: 5.13, 16: 6.83, 25: 8.24, 49: 10.5}


@dataclass(frozen=True)
class MaxPool2d(Pooling):
    """Largest value of each window of x f32[1,H,W,C], by channel; taps outside are skipped."""

    operator_name: ClassVar[str] = "max_pool2d"

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """Maximum of what each window has of the image; NaN stays NaN."""
        largest, result = pooled(self.window(), operands[0], "max"), signature.result
        return largest if result.element.is_float else saturated(largest, self.act, result)

    def second_moment(self, operands: Sequence[float]) -> float:
        """Assume rectified, independent values."""
        taps = sorted(_SECOND_MOMENT)
        below = taps[bisect_right(taps, self.kernel[0] * self.kernel[1]) - 1]
        return _SECOND_MOMENT[below] * operands[0]


def max_pool2d(
    x: Tensor,
    kernel: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    pad: PadSpec = 0,
    ceil_mode: bool = False,
    name: str | None = None,
) -> Tensor:
    """Largest value of each window; the stride is the kernel's size unless given.

    pad: as in conv2d. ceil_mode: a last, incomplete window counts, as torch defines it; it becomes
    padding at the bottom and on the right.
    """
    with located():
        window, _ = pooling_window(x, kernel, stride, pad, ceil_mode)
        op = MaxPool2d(window.size, window.stride, window.pad)
    return apply(op, x, name=name)
