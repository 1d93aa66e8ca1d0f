"""conv2d: y[i,j,o] = act(b[o] + sum over r,s,c of x[i*u+r-p, j*v+s-q, c] w[o,r,s,c] + residual)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located, parameter, value_name
from netgen.errors import GraphError
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activated_moment
from netgen.ops.weighted import Weighted, centred
from netgen.ops.window import PadSpec, Sliding, check_rank, check_shape, sliding_window


@dataclass(frozen=True)
class Conv2d(Weighted, Sliding):
    """Convolution over NHWC with OHWI weights.

    Operands: x f32[1,H,W,C], w f32[O,R,S,C/groups], b f32[O], residual f32[1,OH,OW,O]. Taps outside
    the image count as zero. The residual is added before the activation. Codes, as `Weighted` has
    them, take no residual: TensorFlow Lite rounds before it adds.
    """

    operator_name: ClassVar[str] = "conv2d"
    operand_names: ClassVar[tuple[str, ...]] = ("x", "w", "b", "residual")
    optional_operands: ClassVar[int] = 2
    axis_letters: ClassVar[str] = "NHWC"
    same_place: ClassVar[frozenset[str]] = frozenset({"residual"})
    groups: int = 1
    act: str = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups < 1:
            raise GraphError("groups must be positive", found=str(self.groups))

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
        result = self.weighted([x, w, *rest[:1]], (1, rows, columns, outputs))
        if rest:
            check_shape(rest[0], (outputs,), "b")
        if len(rest) > 1:
            check_shape(rest[1], result.shape, "residual")
            if not result.element.is_float or rest[1].dtype != result.dtype:
                raise GraphError("only floats are added to a residual", found=str(rest[1]))
        return result

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """One matrix product per group over all windows at once."""
        x, w = map(centred, operands[:2], signature.operands[:2])
        taps = self.window(w.shape).taps(x, 0.0)
        inputs, outputs = w.shape[3], w.shape[0] // self.groups
        parts = []
        for g in range(self.groups):
            rows = taps[..., g * inputs : (g + 1) * inputs]
            matrix = w[g * outputs : (g + 1) * outputs].reshape(outputs, -1)
            flat = np.ascontiguousarray(rows).reshape(-1, matrix.shape[1])
            parts.append((flat @ matrix.T).reshape(*taps.shape[:2], outputs))
        y = np.concatenate(parts, axis=-1)[None]
        for addend in operands[2:]:
            y = y + addend
        return self.finished(y, signature)

    def keeps_channels(self, letter: str) -> bool:
        """Whether it is the residual's."""
        return letter == "residual"

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
        at = sliding_window(image, kernel, stride, pad, dilation)
        op = Conv2d(at.stride, at.pad, at.dilation, groups)
    owner = value_name("conv2d", name)
    w = parameter(owner, "w", (channels, *at.size, max(x.channels // groups, 1)))
    b = parameter(owner, "b", (channels,)) if bias else None
    return apply(op, x, w, b, name=name)
