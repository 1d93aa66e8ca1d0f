"""channel_map: y[c] = one channel of one of x0, x1, ..., or zeros."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.ir.attributes import TEXT, AttributeValue
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.channel_notation import (
    OPERAND,
    Codes,
    parse_channels,
    print_channels,
    split_runs,
)
from netgen.ops.window import check_shape

Indices = npt.NDArray[np.int64]
# Operand, first channel, length, step; of zeros -1, 0, length, 1.
ChannelRun = tuple[int, int, int, int]


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Codes:
    codes = parse_channels(text)
    codes.flags.writeable = False
    return codes


@lru_cache(maxsize=1024)
def _canonical(text: str) -> str:
    return print_channels(_parsed(text))


@dataclass(frozen=True)
class ChannelMap(Operator):
    """Operands x0, x1, ... of equal shape but for their channels, the last dimension.

    `channels` says what each channel of the result is, in the notation of `channel_notation`: what
    chains of concat, channel_slice, channel_shuffle and channel_pad come to. Equal maps have equal
    texts. Every operand is read; only of a map of zeros alone is x0 not, it says how many pixels
    there are.
    """

    operator_name: ClassVar[str] = "channel_map"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    view_of: ClassVar[Literal["nothing", "elements", "channels"]] = "channels"
    variadic: ClassVar[bool] = True
    channels: str = field(default="x0[0:1]", metadata=TEXT)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "channels", _canonical(self.channels))

    def attributes(self) -> dict[str, AttributeValue]:
        """The map, which has no usual value to leave out."""
        return {"channels": self.channels}

    def sources(self) -> tuple[Indices, Indices]:
        """Two arrays: each result channel's operand, or -1 for zeros, and its channel there."""
        operands, channels = np.divmod(_parsed(self.channels), OPERAND)
        return operands, channels

    @property
    def runs(self) -> tuple[ChannelRun, ...]:
        """The map as runs (operand, first channel, length, step), in result order."""
        runs = split_runs(_parsed(self.channels).tolist())
        return tuple((run.operand, run.first, run.length, run.step) for run in runs)

    def named(self) -> tuple[int, ...]:
        """The operands in the order in which the text of the map names them."""
        return tuple(dict.fromkeys(int(n) for n in re.findall(r"x([0-9]+)\[", self.channels)))

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1,H,W,C], C as many as the map has; raises GraphError where it does not fit."""
        self.check_count(operands)
        if not operands[0].shape:
            raise GraphError("x0 must have channels", found=str(operands[0]))
        pixels = operands[0].shape[:-1]
        for operand, letter in zip(operands, self.letters(len(operands)), strict=True):
            check_shape(operand, (*pixels, *operand.shape[-1:]), letter)
        read, channels = self.sources()
        self._check_reads(read, len(operands))
        for n, operand in enumerate(operands):
            needed = int(channels[read == n].max(initial=0)) + 1
            if needed > operand.shape[-1]:
                raise GraphError(
                    f"the map reads channels that x{n} does not have",
                    expected=f"at least {needed} channels",
                    found=str(operand.shape[-1]),
                )
        return operands[0].with_shape((*pixels, len(read)))

    def _check_reads(self, read: Indices, count: int) -> None:
        """Raise GraphError unless exactly the operands are read that there are."""
        expected = {*read.tolist()} - {-1} or {0}
        if expected != {*range(count)}:
            raise GraphError(
                "the map does not read the operands that it has",
                expected=", ".join(f"x{n}" for n in sorted(expected)),
                found=", ".join(self.letters(count)),
            )

    def channel_sources(self, channels: Sequence[int]) -> tuple[Array, Array]:
        """The sources that the map states."""
        del channels
        return self.sources()

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """Index all channels, and one of zeros, which codes have as their zero point."""
        first = np.cumsum([0, *(operand.shape[-1] for operand in operands)])
        zero = np.full_like(operands[0][..., :1], signature.result.zero)
        read, channels = self.sources()
        # Index -1 is the last entry of `first`: where the zeros stand.
        return np.concatenate([*operands, zero], axis=-1)[..., first[read] + channels]

    def second_moment(self, operands: Sequence[float]) -> float:
        """The mean over the channels of the result."""
        read, _ = self.sources()
        return float(np.array([*operands, 0.0])[read].mean())


def channel_map_op(channels: Sequence[tuple[int, int]]) -> ChannelMap:
    """The map whose result has these channels: of each the operand, or -1 for zeros, and which.

    Raises GraphError where there are none.
    """
    codes = np.array([n * OPERAND + max(c, 0) * (n >= 0) for n, c in channels], np.int64)
    return ChannelMap(print_channels(codes))
