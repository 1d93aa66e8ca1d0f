"""The unit that every architecture here is made of: convolution, batch norm, activation."""

from __future__ import annotations

from typing import Literal

from netgen.dsl.author import author_line
from netgen.dsl.tensor import Tensor
from netgen.errors import GraphError, UsageError
from netgen.ops import batch_norm, conv2d, depthwise_conv2d, relu6

Padding = Literal["torch", "tensorflow"]
_WIDEST = 16.0  # far beyond any paper; what is wider is a slip
# What the two frameworks' own training code uses for batch norm.
EPSILON = {"torch": 1e-5, "tensorflow": 1e-3}


def check_width_multiplier(alpha: float) -> None:
    """Raise UsageError unless alpha can thin or widen a network."""
    if not 0.0 < alpha <= _WIDEST:
        raise UsageError(
            "the parameter 'alpha' is out of range",
            expected=f"more than 0 and at most {_WIDEST:g}",
            found=str(alpha),
            hint="for example -p alpha=0.5",
        )


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
