"""channel_shuffle: y[n*g + k] = x[k*C/g + n]; the g groups of channels are dealt out in turn."""

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
class ChannelShuffle(Operator):
    """Channel shuffle (Zhang et al. 2017, ShuffleNet): transposes groups and their channels."""

    operator_name: ClassVar[str] = "channel_shuffle"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    view_of: ClassVar[Literal["nothing", "elements", "channels"]] = "channels"
    groups: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups < 1:
            raise GraphError("groups must be positive", found=str(self.groups))

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Keep the type of x; raises GraphError where its channels cannot be grouped."""
        channels = operands[0].shape[-1]
        if channels % self.groups:
            raise GraphError(f"{channels} channels cannot be split into {self.groups} groups")
        return operands[0]

    def channel_sources(self, channels: Sequence[int]) -> tuple[Array, Array]:
        """The first channel of every group, then the second one of every group, and so on."""
        dealt = np.arange(channels[0]).reshape(self.groups, -1).T.ravel()
        return np.zeros_like(dealt), dealt

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Reshape to (groups, C/groups), transpose, reshape back, as in the paper."""
        x = operands[0]
        grouped = x.reshape(*x.shape[:-1], self.groups, -1)
        return np.swapaxes(grouped, -1, -2).reshape(x.shape)


def channel_shuffle(x: Tensor, groups: int, *, name: str | None = None) -> Tensor:
    """Deal the channels of `groups` groups out in turn."""
    with located():
        op = ChannelShuffle(groups)
    return apply(op, x, name=name)
