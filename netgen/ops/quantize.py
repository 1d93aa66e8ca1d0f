"""quantize: real numbers as codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, Quantisation, TensorType, rounded_scale

_CODES = ("i8", "u8", "i16")


@dataclass(frozen=True)
class Quantize(Operator):
    """Codes of x: round(x / scale) + zero, halves away from zero, saturating.

    The quotient is one of float32. Not-a-number, to which TensorFlow Lite gives no code, has the
    lowest. Source: TensorFlow Lite, `reference/quantize.h`, AffineQuantize.
    """

    operator_name: ClassVar[str] = "quantize"
    scale: float = 1.0
    zero: int = 0
    dtype: str = "i8"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dtype not in _CODES:
            raise GraphError(
                "codes are integers", expected=f"one of {', '.join(_CODES)}", found=self.dtype
            )
        TensorType(self.dtype, (), Quantisation(self.scale, self.zero))

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The shape of x."""
        return TensorType(self.dtype, operands[0].shape, Quantisation(self.scale, self.zero))

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """The formula, rounded exactly in float64: a half can be added to any float32."""
        with np.errstate(over="ignore", invalid="ignore"):
            quotient = (operands[0].astype(np.float32) / np.float32(self.scale)).astype(np.float64)
            rounded = np.copysign(np.floor(np.abs(quotient) + 0.5), quotient)
        element = signature.result.element
        low, high = element.low - self.zero, element.high - self.zero
        codes = np.clip(np.nan_to_num(rounded, nan=low, posinf=high, neginf=low), low, high)
        shifted: Array = codes.astype(np.int64) + self.zero
        return shifted


def quantize(
    x: Tensor, scale: float, zero: int = 0, dtype: str = "i8", *, name: str | None = None
) -> Tensor:
    """Codes of x, as i8, u8 or i16; `scale` is rounded to float32."""
    with located():
        op = Quantize(rounded_scale(scale), zero, dtype)
    return apply(op, x, name=name)
