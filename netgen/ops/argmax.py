"""argmax: y = the channel of the largest number, in each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.errors import GraphError
from netgen.ir.magnitude import ANY_NUMBER, Range
from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class Argmax(Operator):
    """Channel of the largest of all channels, the last dimension, as i32 [1,H,W,1].

    Of equal ones the first, or the `last`. Not-a-number is larger than nothing, and nothing is
    larger than one that is first. Source: TensorFlow Lite, `reference/arg_min_max.h`.
    """

    operator_name: ClassVar[str] = "argmax"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8", "i16"})
    last: int = 0

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """One integer for each pixel."""
        x = operands[0]
        if len(x.shape) < 2:
            raise GraphError("argmax needs channels of pixels", found=str(x))
        return TensorType("i32", (*x.shape[:-1], 1))

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """numpy.argmax of what is a number."""
        x = operands[0]
        number = ~np.isnan(x)
        most = np.where(number, x, -np.inf).max(axis=-1, keepdims=True)
        places = np.where(number & (x == most), np.arange(x.shape[-1]), -1 if self.last else np.inf)
        found = (places.max if self.last else places.min)(axis=-1, keepdims=True)
        return np.where(number[..., :1], found, 0).astype(np.int64)

    def value_range(self, operands: Sequence[Range]) -> Range:
        """Numbers of channels."""
        del operands
        return 0.0, ANY_NUMBER[1]

    def second_moment(self, operands: Sequence[float]) -> float:
        """Nothing: no weights follow it."""
        del operands
        return 1.0


def argmax(x: Tensor, *, last: bool = False, name: str | None = None) -> Tensor:
    """Channel of the largest of all, as int32; the first of equal ones, or the last."""
    return apply(Argmax(int(last)), x, name=name)
