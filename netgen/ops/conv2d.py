"""conv2d: y[i,j,o] = act(b[o] + sum over r,s,c of x[i*u+r-p, j*v+s-q, c] w[o,r,s,c] + residual)."""

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
class Conv2d(Operator):
    """Convolution over NHWC with OHWI weights.

    Operands: x f32[1,H,W,C], w f32[O,R,S,C/groups], b f32[O], residual f32[1,OH,OW,O]. Taps outside
    the image count as zero. The residual is added before the activation.
    """

    operator_name: ClassVar[str] = "conv2d"
    operand_names: ClassVar[tuple[str, ...]] = ("x", "w", "b", "residual")
    optional_operands: ClassVar[int] = 2
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    act: str = "none"

    def __post_init__(self) -> None:
        object.__setattr__(self, "stride", pair(self.stride, "stride"))
        object.__setattr__(self, "dilation", pair(self.dilation, "dilation"))
        object.__setattr__(self, "pad", four_sides(self.pad, "pad"))
        check_activation(self.act)
        if self.groups < 1:
            raise GraphError("groups must be positive", found=str(self.groups))

    def window(self, w: tuple[int, ...]) -> Window:
        """Give the sliding window of weights of shape `w`."""
        return Window((w[1], w[2]), self.stride, self.pad, self.dilation)

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1,OH,OW,O]."""
        x, w, *rest = operands
        check_rank(x, 4, "x")
        check_rank(w, 4, "w")
        outputs = w.shape[0]
        if x.shape[3] % self.groups or outputs % self.groups:
            raise GraphError(
                f"{x.shape[3]} to {outputs} channels cannot be split into {self.groups} groups"
            )
        check_shape(w, (outputs, w.shape[1], w.shape[2], x.shape[3] // self.groups), "w")
        rows, columns = self.window(w.shape).output_size(x)
        result = TensorType(x.dtype, (1, rows, columns, outputs))
        if rest:
            check_shape(rest[0], (outputs,), "b")
        if len(rest) > 1:
            check_shape(rest[1], result.shape, "residual")
        return result

    def reference(self, operands: Sequence[Array]) -> Array:
        """One matrix product per group over all windows at once."""
        x, w, *rest = operands
        taps = self.window(w.shape).taps(x, 0.0)
        inputs, outputs = w.shape[3], w.shape[0] // self.groups
        parts = []
        for g in range(self.groups):
            rows = taps[..., g * inputs : (g + 1) * inputs]
            matrix = w[g * outputs : (g + 1) * outputs].reshape(outputs, -1)
            flat = np.ascontiguousarray(rows).reshape(-1, matrix.shape[1])
            parts.append((flat @ matrix.T).reshape(*taps.shape[:2], outputs))
        y = np.concatenate(parts, axis=-1)[None]
        for addend in rest:
            y = y + addend
        return activate(self.act, y)

    def macs(self, operands: Sequence[TensorType], result: TensorType) -> int:
        """One per weight and pixel."""
        return result.shape[1] * result.shape[2] * operands[1].elements

    def second_moment(self, operands: Sequence[float]) -> float:
        """Weights are seeded for 1 before the residual and the activation."""
        residual = operands[1] if len(operands) > 1 else 0.0
        return activated_moment(self.act, 1.0 + residual)


def conv2d(
    x: Tensor,
    channels: int,
    kernel: int | tuple[int, int] = 1,
    *,
    stride: int | tuple[int, int] = 1,
    pad: PadSpec = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    bias: bool = True,
    name: str | None = None,
) -> Tensor:
    """Convolution to `channels` channels with its own parameters `w` and, unless off, `b`.

    pad: one number, (top, bottom, left, right), or "same" as TensorFlow defines it.
    """
    image = (x.height, x.width)
    with located():
        size, step = pair(kernel, "kernel"), pair(stride, "stride")
        spread = pair(dilation, "dilation")
        reach = ((size[0] - 1) * spread[0] + 1, (size[1] - 1) * spread[1] + 1)
        sides = four_sides(resolve_pad(pad, image, reach, step), "pad")
        op = Conv2d(step, sides, spread, groups)
    owner = value_name("conv2d", name)
    w = parameter(owner, "w", (channels, *size, max(x.channels // groups, 1)))
    b = parameter(owner, "b", (channels,)) if bias else None
    return apply(op, x, w, b, name=name)
