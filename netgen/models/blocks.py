"""The unit that every architecture here is made of: convolution, batch norm, activation."""

from __future__ import annotations

from typing import Literal

from netgen.dsl.tensor import Tensor, author_line
from netgen.errors import GraphError
from netgen.ops import batch_norm, conv2d, depthwise_conv2d, relu6

Padding = Literal["torch", "tensorflow"]
# What the two frameworks' own training code uses for batch norm.
EPSILON = {"torch": 1e-5, "tensorflow": 1e-3}


def make_divisible(channels: float, divisor: int = 8) -> int:
    """Round to a multiple of `divisor`, never below 90 % (the MobileNetV2 paper's own code)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def convolution(
    x: Tensor,
    channels: int | None,
    kernel: int,
    *,
    stride: int,
    padding: str,
    normalise: bool,
    activate: bool = True,
) -> Tensor:
    """Convolution (depthwise where `channels` is None), batch norm unless folded, ReLU6 unless off.

    padding: `torch` pads half the kernel on every side, `tensorflow` bottom and right first.
    """
    if stride > 1 and min(x.height, x.width) == 1:
        raise GraphError(
            "the image has shrunk to one pixel and cannot be halved again",
            where=str(author_line()),
            hint="choose a larger input size",
        )
    pad: int | Literal["same"] = "same" if padding == "tensorflow" else kernel // 2
    if channels is None:
        x = depthwise_conv2d(x, kernel, stride=stride, pad=pad, bias=not normalise)
    else:
        x = conv2d(x, channels, kernel, stride=stride, pad=pad, bias=not normalise)
    if normalise:
        x = batch_norm(x, eps=EPSILON[padding])
    return relu6(x) if activate else x
