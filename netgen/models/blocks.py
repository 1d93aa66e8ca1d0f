"""The unit that every architecture here is made of: convolution, batch norm, activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from netgen.dsl.author import author_line
from netgen.dsl.tensor import Tensor
from netgen.errors import GraphError, UsageError
from netgen.ops import batch_norm, conv2d, depthwise_conv2d, hard_swish, relu, relu6

Padding = Literal["torch", "tensorflow"]
Activation = Literal["none", "relu", "relu6", "hard_swish"]
_WIDEST = 16.0  # far beyond any paper; what is wider is a slip
# What the two frameworks' own training code uses for batch norm.
EPSILON = {"torch": 1e-5, "tensorflow": 1e-3}
_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "relu": relu,
    "relu6": relu6,
    "hard_swish": hard_swish,
}


def check_width_multiplier(alpha: float, name: str = "alpha") -> None:
    """Raise UsageError unless alpha can thin or widen a network."""
    if not 0.0 < alpha <= _WIDEST:
        raise UsageError(
            f"the parameter '{name}' is out of range",
            expected=f"more than 0 and at most {_WIDEST:g}",
            found=str(alpha),
            hint=f"for example -p {name}=0.5",
        )


def make_divisible(channels: float, divisor: int = 8) -> int:
    """Round to a multiple of `divisor`, never below 90 % (the MobileNetV2 paper's own code)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def check_room(x: Tensor, stride: int) -> None:
    """Raise GraphError where a stage would vanish: one pixel cannot be halved."""
    if stride > 1 and min(x.height, x.width) == 1:
        raise GraphError(
            "the image has shrunk to one pixel and cannot be halved again",
            where=str(author_line()),
            hint="choose a larger input size",
        )


def convolution(
    x: Tensor,
    channels: int | None,
    kernel: int | tuple[int, int],
    *,
    act: Activation,
    stride: int = 1,
    groups: int = 1,
    padding: str = "torch",
    normalise: bool = True,
    bias: bool = False,
    eps: float | None = None,
) -> Tensor:
    """Convolution (depthwise where `channels` is None), batch norm unless folded, activation.

    padding: `torch` pads half the kernel on every side, `tensorflow` bottom and right first. A
    convolution has a bias where asked, and where it has no batch norm. eps: the framework's own
    unless given.
    """
    check_room(x, stride)
    half = kernel // 2 if isinstance(kernel, int) else 0
    pad: int | Literal["same"] = "same" if padding == "tensorflow" else half
    bias = bias or not normalise
    if channels is None:
        x = depthwise_conv2d(x, kernel, stride=stride, pad=pad, bias=bias)
    else:
        x = conv2d(x, channels, kernel, stride=stride, pad=pad, groups=groups, bias=bias)
    if normalise:
        x = batch_norm(x, eps=EPSILON[padding] if eps is None else eps)
    return _ACTIVATIONS[act](x)
