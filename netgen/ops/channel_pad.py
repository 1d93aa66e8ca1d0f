"""channel_pad: channels of zeros before and behind those of x."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class ChannelPad(Operator):
    """`front` channels of zeros, those of x, `back` channels of zeros.

    It widens the parameter-free shortcuts of He et al. 2015 (ResNet for CIFAR, option A).
    """

    operator_name: ClassVar[str] = "channel_pad"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    view_of: ClassVar[Literal["nothing", "elements", "channels"]] = "channels"
    front: int = 0
    back: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.front, self.back) < 0:
            raise GraphError(
                "a padding of channels must not be negative",
                expected="at least 0",
                found=f"front {self.front}, back {self.back}",
            )

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1, H, W, front + C + back]."""
        x = operands[0]
        channels = self.front + x.shape[-1] + self.back
        return x.with_shape((*x.shape[:-1], channels))

    def channel_sources(self, channels: Sequence[int]) -> tuple[Array, Array]:
        """Zeros, all of x, zeros."""
        sides, x = (self.front, self.back), np.arange(channels[0])
        return np.pad(np.zeros_like(x), sides, constant_values=-1), np.pad(x, sides)

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """numpy.pad with zeros, of codes with the zero point, of the last axis."""
        x = operands[0]
        sides = [*[(0, 0)] * (x.ndim - 1), (self.front, self.back)]
        return np.pad(x, sides, constant_values=signature.result.zero)


def channel_pad(x: Tensor, front: int, back: int, *, name: str | None = None) -> Tensor:
    """`front` channels of zeros, those of x, `back` channels of zeros."""
    with located():
        op = ChannelPad(front, back)
    return apply(op, x, name=name)
