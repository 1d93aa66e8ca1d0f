"""softmax: y[c] = exp(beta x[c]) / sum over all channels of exp(beta x)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.magnitude import Range
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.rescaled import Rescaled, own_codes, scale_of
from netgen.ops.softmax_of_codes import powers_of_codes, shares

_MOST_CHANNELS = 4095
_STEP = 1.0 / 256.0


@dataclass(frozen=True)
class Softmax(Rescaled):
    """Softmax over the channels, the last dimension, of each pixel by itself.

    Codes of the result are 256ths: their scale is 1/256, their zero point the lowest code.
    """

    operator_name: ClassVar[str] = "softmax"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8"})
    beta: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.beta <= float(np.finfo(np.float32).max):
            raise GraphError("beta must be a positive float32", found=str(self.beta))
        object.__setattr__(self, "beta", float(np.float32(self.beta)))

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Keep the type of x, but for codes, which become 256ths."""
        x = operands[0]
        result = self.result_of(x, x.shape)
        if x.element.is_float:
            return result
        if abs(scale_of(result) - _STEP) > 0.001 * _STEP or result.zero != x.element.low:
            raise GraphError(
                "the codes of a softmax are 256ths",
                expected=f"scale=0x1p-8, zero={x.element.low}",
                found=str(result),
            )
        if x.shape[-1] > _MOST_CHANNELS:
            raise GraphError(
                "the sum of so many powers does not fit into int32",
                expected=f"at most {_MOST_CHANNELS} channels",
                found=str(x.shape[-1]),
            )
        powers_of_codes(self.beta, scale_of(x))
        return result

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """Apply the formula to what is left below the largest channel, which cannot overflow."""
        x, kind = operands[0], signature.operands[0]
        below = x - x.max(axis=-1, keepdims=True)
        if not kind.element.is_float:
            table = powers_of_codes(self.beta, scale_of(kind))
            return shares(table[-below]) + kind.element.low
        powers = np.exp(self.beta * below)
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))

    def value_range(self, operands: Sequence[Range]) -> Range:
        """Shares of one."""
        del operands
        return 0.0, 1.0

    def second_moment(self, operands: Sequence[float]) -> float:
        """Nothing: it depends on the number of channels, and no weights follow a softmax."""
        del operands
        return 1.0


def softmax(x: Tensor, *, beta: float = 1.0, name: str | None = None) -> Tensor:
    """Softmax over the channels, the last dimension; of codes as 256ths."""
    with located():
        codes = {} if x.type.element.is_float else own_codes(_STEP, x.type.element.low)
        op = Softmax(beta, **codes)
    return apply(op, x, name=name)
