"""transpose_conv2d: y[h*u+r-p, v*t+s-q, o] = act(b[o] + the sum of all x[h,v,c] w[o,r,s,c])."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located, parameter, value_name
from netgen.errors import GraphError
from netgen.ir.attributes import ONE_FOR_ALL
from netgen.ir.operator import Signature
from netgen.ir.rows import Reach, reach_of
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activated_moment
from netgen.ops.weighted import Weighted, centred
from netgen.ops.window import check_rank, check_shape, pair

# Rows and columns are counted with `int` in C.
_MOST = 2**31 - 1


@dataclass(frozen=True)
class TransposeConv2d(Weighted):
    """Each pixel of x f32[1,H,W,C] adds its products with OHWI weights to a window of the result.

    Windows are `stride` apart; of what they make up the first `before` rows and columns are left
    out, and `size` of those behind are the result. Pixels that no window reaches are the bias b
    f32[O]. Codes are as `Weighted` has them.
    """

    operator_name: ClassVar[str] = "transpose_conv2d"
    operand_names: ClassVar[tuple[str, ...]] = ("x", "w", "b")
    optional_operands: ClassVar[int] = 1
    axis_letters: ClassVar[str] = "NHWC"
    size: tuple[int, int] = field(default=(1, 1), metadata=ONE_FOR_ALL)
    stride: tuple[int, int] = field(default=(1, 1), metadata=ONE_FOR_ALL)
    before: tuple[int, int] = field(default=(0, 0), metadata=ONE_FOR_ALL)
    act: str = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "size", pair(self.size, "size"))
        object.__setattr__(self, "stride", pair(self.stride, "stride"))
        object.__setattr__(self, "before", pair(self.before, "before", 0))
        if max(n + cut for n, cut in zip(self.size, self.before, strict=True)) > _MOST:
            raise GraphError("a result that is too large", found=f"{self.size} {self.before}")

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1, *size, O]."""
        x, w, *rest = operands
        check_rank(x, 4, "x")
        check_rank(w, 4, "w")
        check_shape(w, (*w.shape[:3], x.shape[3]), "w")
        for bias in rest:
            check_shape(bias, w.shape[:1], "b")
        return self.weighted(operands, (1, *self.size, w.shape[0]))

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """Tap by tap: one matrix product, whose rows go to pixels `stride` apart."""
        x, w = map(centred, operands[:2], signature.operands[:2])
        outputs, kernel_rows, kernel_columns, _ = w.shape
        y = np.zeros((*self.size, outputs))
        for r in range(kernel_rows):
            rows, to_rows = self._hits(0, r, x.shape[1])
            for s in range(kernel_columns):
                columns, to_columns = self._hits(1, s, x.shape[2])
                parts = x[0][rows[:, None], columns] @ w[:, r, s].T
                y[to_rows[:, None], to_columns] += parts
        sums = y[None] + (operands[2] if len(operands) > 2 else 0.0)
        return self.finished(sums, signature)

    def _hits(self, axis: int, tap: int, extent: int) -> tuple[Array, Array]:
        """The inputs along an axis whose window's tap lies in the result, and where it lies."""
        inputs = np.arange(extent)
        to = inputs * self.stride[axis] + tap - self.before[axis]
        inside = (to >= 0) & (to < self.size[axis])
        return inputs[inside], to[inside]

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """The rows of x whose windows reach a row."""
        if letter != "x":
            return super().image_reach(letter, operands, result)
        stride, kernel = self.stride[0], operands["w"].shape[1]
        at = [row + self.before[0] for row in range(result.shape[1])]
        rows = [(-((kernel - 1 - row) // stride), row // stride) for row in at]
        return reach_of(rows, 1, stride)

    def keeps_channels(self, letter: str) -> bool:
        """No: they are mixed."""
        del letter
        return False

    def macs(self, operands: Sequence[TensorType], result: TensorType) -> int:
        """One per weight and pixel of x."""
        del result
        return operands[0].shape[1] * operands[0].shape[2] * operands[1].elements

    def second_moment(self, operands: Sequence[float]) -> float:
        """Weights are seeded for 1 where a pixel has all taps: here it has one of each stride."""
        del operands
        return activated_moment(self.act, 1.0 / (self.stride[0] * self.stride[1]))


def transpose_conv2d(
    x: Tensor,
    channels: int,
    kernel: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] = 1,
    pad: int | tuple[int, int] | Literal["same"] = 0,
    output_pad: int | tuple[int, int] = 0,
    bias: bool = True,
    name: str | None = None,
) -> Tensor:
    """Transposed convolution to `channels` channels, of parameters `w` and, unless off, `b`.

    pad: rows and columns that are cut off on all sides, as torch counts them, or "same": as many as
    leave `stride` times the image, as TensorFlow does. output_pad: more at the bottom and on the
    right.
    """
    image = (x.height, x.width)
    with located():
        size, step = pair(kernel, "kernel"), pair(stride, "stride")
        cut = (0, 0) if pad == "same" else pair(pad, "pad", 0)
        more = pair(output_pad, "output_pad", 0)
        extents = [
            (n - 1) * u + k - 2 * p + m
            for n, u, k, p, m in zip(image, step, size, cut, more, strict=True)
        ]
        if pad == "same":
            extents = [n * u for n, u in zip(image, step, strict=True)]
            first, second = (max(k - u, 0) // 2 for k, u in zip(size, step, strict=True))
            cut = first, second
        op = TransposeConv2d(size=pair(tuple(extents), "the size"), stride=step, before=cut)
    owner = value_name("transpose_conv2d", name)
    w = parameter(owner, "w", (channels, *size, x.channels))
    b = parameter(owner, "b", (channels,)) if bias else None
    return apply(op, x, w, b, name=name)
