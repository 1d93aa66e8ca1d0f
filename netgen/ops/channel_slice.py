"""channel_slice: y[c] = x[first + c*step], for `length` channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar, Literal

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class ChannelSlice(Operator):
    """`length` channels of x, from `first` on, every `step`-th."""

    operator_name: ClassVar[str] = "channel_slice"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    view_of: ClassVar[Literal["nothing", "elements", "channels"]] = "channels"
    first: int = 0
    length: int = 1
    step: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.first < 0 or self.length < 1 or self.step < 1:
            raise GraphError(
                "a slice of channels that cannot be",
                expected="first at least 0, length and step at least 1",
                found=f"first {self.first}, length {self.length}, step {self.step}",
            )

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Take the type of x with `length` channels; raises GraphError where x has fewer."""
        x = operands[0]
        end = self.first + (self.length - 1) * self.step + 1
        if end > x.shape[-1]:
            raise GraphError(
                "the slice ends behind the last channel",
                expected=f"at least {end} channels",
                found=str(x.shape[-1]),
            )
        return x.with_shape((*x.shape[:-1], self.length))

    def channel_sources(self, channels: Sequence[int]) -> tuple[Array, Array]:
        """Every `step`-th channel from the first on."""
        del channels
        length = self.length
        return np.zeros(length, np.int64), self.first + self.step * np.arange(length)

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Index with a slice of NumPy."""
        end = self.first + self.length * self.step
        return operands[0][..., self.first : end : self.step]


def channel_slice(
    x: Tensor, first: int, length: int, step: int = 1, *, name: str | None = None
) -> Tensor:
    """`length` channels of x, from `first` on, every `step`-th."""
    with located():
        op = ChannelSlice(first, length, step)
    return apply(op, x, name=name)


def split(x: Tensor, parts: int | Sequence[int], *, name: str | None = None) -> tuple[Tensor, ...]:
    """Slices that together are all channels of x: `parts` equal ones, or one per given length.

    With a name they are called `name_0`, `name_1`, ... Raises GraphError with the author's line
    where the lengths do not add up to the channels.
    """
    # A number that does not divide the channels gives lengths that do not add up.
    lengths = [x.channels // max(parts, 1)] * parts if isinstance(parts, int) else list(parts)
    with located():
        if not lengths or sum(lengths) != x.channels:
            raise GraphError(
                f"{x.channels} channels cannot be split like this",
                expected="a number of equal parts, or lengths that add up to the channels",
                found=str(parts),
            )
    starts = accumulate([0, *lengths[:-1]])
    return tuple(
        channel_slice(x, first, length, name=f"{name}_{position}" if name else None)
        for position, (first, length) in enumerate(zip(starts, lengths, strict=True))
    )
