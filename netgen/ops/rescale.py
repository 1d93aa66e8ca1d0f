"""rescale: codes of another scale and zero point for the same numbers, by way of float32."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType, rounded_scale
from netgen.ops.rescaled import Rescaled, saturated, scale_of


@dataclass(frozen=True)
class Rescale(Rescaled):
    """Codes of x of 8 bits in a `scale` and around a `zero` of their own, saturating.

    They are round(x * factor - x's zero * factor) + zero, halves away from zero, where the factor
    is x's scale times the reciprocal of the result's: each step in float32. Source: TensorFlow
    Lite, `reference/concatenation.h`, ConcatenationWithScaling, which brings the operands of a
    concatenation of uint8 to the scale of its result.
    """

    operator_name: ClassVar[str] = "rescale"
    element_types: ClassVar[frozenset[str]] = frozenset({"i8", "u8"})
    same_place: ClassVar[frozenset[str]] = frozenset({"x"})

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The shape and element type of x; raises GraphError without a scale of its own."""
        x = operands[0]
        if not self.scale:
            raise GraphError("rescale needs a scale", expected="{scale=0x1p-7, zero=0}")
        return self.result_of(x, x.shape)

    def is_identity(self, operands: Sequence[TensorType], result: TensorType) -> bool:
        """Whether scale and zero point are those of x: TensorFlow Lite then copies."""
        return operands[0].alike(result)

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """Code by code; where scales are alike a copy."""
        (x,), result = signature.operands, signature.result
        if x.alike(result):
            return operands[0]
        factor = np.float32(scale_of(x)) * (np.float32(1.0) / np.float32(scale_of(result)))
        bias = np.float32(-x.zero) * factor
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = (operands[0].astype(np.float32) * factor + bias).astype(np.float64)
        rounded = np.copysign(np.floor(np.abs(numbers) + 0.5), numbers)
        # As the bounds of int32, far beyond those of any code.
        whole = np.clip(rounded, -(2.0**31), 2.0**31 - 1.0).astype(np.int64)
        return saturated(whole + result.zero, "none", result)


def rescale(x: Tensor, scale: float, zero: int = 0, *, name: str | None = None) -> Tensor:
    """The same numbers in codes of this scale, rounded to float32."""
    with located():
        op = Rescale(scale=rounded_scale(scale), zero=zero)
    return apply(op, x, name=name)
