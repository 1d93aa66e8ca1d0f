"""depthwise_conv2d: y[i,j,c*m+t] = act(b + sum over r,s of x[i*u+r-p, j*v+s-q, c] w[c*m+t,r,s])."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located, parameter, value_name
from netgen.errors import GraphError
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activate, activated_moment, check_activation
from netgen.ops.window import (
    PadSpec,
    Window,
    check_rank,
    check_shape,
    four_sides,
    pair,
    resolve_pad,
)


@dataclass(frozen=True)
class DepthwiseConv2d(Operator):
    """Each channel convolved by itself, into `m` channels (the channel multiplier).

    Operands: x f32[1,H,W,C], w f32[C*m,R,S,1], b f32[C*m]. Taps outside the image count as zero.
    """

    operator_name: ClassVar[str] = "depthwise_conv2d"
    operand_names: ClassVar[tuple[str, ...]] = ("x", "w", "b")
    optional_operands: ClassVar[int] = 1
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    act: str = "none"

    def __post_init__(self) -> None:
        object.__setattr__(self, "stride", pair(self.stride, "stride"))
        object.__setattr__(self, "dilation", pair(self.dilation, "dilation"))
        object.__setattr__(self, "pad", four_sides(self.pad, "pad"))
        check_activation(self.act)

    def window(self, w: tuple[int, ...]) -> Window:
        """Give the sliding window of weights of shape `w`."""
        return Window((w[1], w[2]), self.stride, self.pad, self.dilation)

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1,OH,OW,C*m]."""
        x, w, *rest = operands
        check_rank(x, 4, "x")
        check_rank(w, 4, "w")
        if w.shape[0] % x.shape[3] or w.shape[3] != 1:
            raise GraphError(
                "w has the wrong shape",
                expected=f"[{x.shape[3]}*m, R, S, 1]",
                found=str(list(w.shape)),
            )
        rows, columns = self.window(w.shape).output_size(x)
        if rest:
            check_shape(rest[0], (w.shape[0],), "b")
        return TensorType(x.dtype, (1, rows, columns, w.shape[0]))

    def reference(self, operands: Sequence[Array]) -> Array:
        """One multiply-add over the whole image per tap."""
        x, w, *rest = operands
        multiplier = w.shape[0] // x.shape[3]
        taps = self.window(w.shape).taps(x, 0.0)
        y = np.zeros((*taps.shape[:2], w.shape[0]))
        for r in range(w.shape[1]):
            for s in range(w.shape[2]):
                y += np.repeat(taps[:, :, r, s], multiplier, axis=-1) * w[:, r, s, 0]
        if rest:
            y = y + rest[0]
        return activate(self.act, y[None])

    def macs(self, operands: Sequence[TensorType], result: TensorType) -> int:
        """One per weight and pixel."""
        return result.shape[1] * result.shape[2] * operands[1].elements

    def second_moment(self, operands: Sequence[float]) -> float:
        """Weights are seeded for 1 before the activation."""
        del operands
        return activated_moment(self.act, 1.0)


def depthwise_conv2d(
    x: Tensor,
    kernel: int | tuple[int, int] = 3,
    *,
    multiplier: int = 1,
    stride: int | tuple[int, int] = 1,
    pad: PadSpec = 0,
    dilation: int | tuple[int, int] = 1,
    bias: bool = True,
    name: str | None = None,
) -> Tensor:
    """Depthwise convolution with its own parameters `w` and, unless off, `b`; pad as in conv2d."""
    image = (x.height, x.width)
    with located():
        size, step = pair(kernel, "kernel"), pair(stride, "stride")
        spread = pair(dilation, "dilation")
        reach = ((size[0] - 1) * spread[0] + 1, (size[1] - 1) * spread[1] + 1)
        sides = four_sides(resolve_pad(pad, image, reach, step), "pad")
        op = DepthwiseConv2d(step, sides, spread)
    owner = value_name("depthwise_conv2d", name)
    w = parameter(owner, "w", (x.channels * multiplier, *size, 1))
    b = parameter(owner, "b", (x.channels * multiplier,)) if bias else None
    return apply(op, x, w, b, name=name)
