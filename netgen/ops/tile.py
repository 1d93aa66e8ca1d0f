"""tile: the channels of every pixel several times over, y[.., k C + c] = x[.., c]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class Tile(Operator):
    """The last axis of x, `times` in a row; numbers per pixel so become numbers per channel."""

    operator_name: ClassVar[str] = "tile"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    times: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.times < 1:
            raise GraphError("tile repeats channels", expected="times >= 1", found=str(self.times))

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """`times` as many channels; raises GraphError where x has none."""
        x = operands[0]
        if not x.shape:
            raise GraphError("tile needs channels", found=str(x))
        return x.with_shape((*x.shape[:-1], x.shape[-1] * self.times))

    def is_identity(self, operands: Sequence[TensorType], result: TensorType) -> bool:
        """Whether channels stand there once."""
        del operands, result
        return self.times == 1

    def keeps_channels(self, letter: str) -> bool:
        """No: a channel of x goes to several."""
        del letter
        return False

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """numpy.tile of the last axis."""
        x = operands[0]
        return np.tile(x, (*(1 for _ in signature.result.shape[1:]), self.times))


def tile(x: Tensor, times: int, *, name: str | None = None) -> Tensor:
    """The channels of every pixel, `times` in a row."""
    with located():
        op = Tile(times)
    return apply(op, x, name=name)
