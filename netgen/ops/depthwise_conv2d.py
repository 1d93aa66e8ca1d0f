"""depthwise_conv2d: y[i,j,c*m+t] = act(b + sum over r,s of x[i*u+r-p, j*v+s-q, c] w[c*m+t,r,s])."""

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
class DepthwiseConv2d(Weighted, Sliding):
    """Each channel convolved by itself, into `m` channels (the channel multiplier).

    Operands: x f32[1,H,W,C], w f32[C*m,R,S,1], b f32[C*m], or codes as `Weighted` has them. Taps
    outside the image count as zero.
    """

    operator_name: ClassVar[str] = "depthwise_conv2d"
    operand_names: ClassVar[tuple[str, ...]] = ("x", "w", "b")
    optional_operands: ClassVar[int] = 1
    axis_letters: ClassVar[str] = "NHWC"
    act: str = "none"

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
        return self.weighted(operands, (1, rows, columns, w.shape[0]))

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """One multiply-add over the whole image per tap."""
        x, w = map(centred, operands[:2], signature.operands[:2])
        multiplier = w.shape[0] // x.shape[3]
        taps = self.window(w.shape).taps(x, 0.0)
        y = np.zeros((*taps.shape[:2], w.shape[0]))
        for r in range(w.shape[1]):
            for s in range(w.shape[2]):
                y += np.repeat(taps[:, :, r, s], multiplier, axis=-1) * w[:, r, s, 0]
        if len(operands) > 2:
            y = y + operands[2]
        return self.finished(y[None], signature)

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
        at = sliding_window(image, kernel, stride, pad, dilation)
        op = DepthwiseConv2d(at.stride, at.pad, at.dilation)
    owner = value_name("depthwise_conv2d", name)
    w = parameter(owner, "w", (x.channels * multiplier, *at.size, 1))
    b = parameter(owner, "b", (x.channels * multiplier,)) if bias else None
    return apply(op, x, w, b, name=name)
