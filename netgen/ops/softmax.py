"""softmax: y[c] = exp(x[c]) / sum over all channels of exp(x)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.magnitude import Range
from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class Softmax(Operator):
    """Softmax over the channels, the last dimension, of each pixel by itself."""

    operator_name: ClassVar[str] = "softmax"

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Keep the type of x."""
        return operands[0]

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Apply the formula to what is left below the largest channel, which cannot overflow."""
        x = operands[0]
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))

    def value_range(self, operands: Sequence[Range]) -> Range:
        """Shares of one."""
        del operands
        return 0.0, 1.0

    def second_moment(self, operands: Sequence[float]) -> float:
        """Nothing: it depends on the number of channels, and no weights follow a softmax."""
        del operands
        return 1.0


def softmax(x: Tensor, *, name: str | None = None) -> Tensor:
    """Softmax over the channels, the last dimension."""
    return apply(Softmax(), x, name=name)
