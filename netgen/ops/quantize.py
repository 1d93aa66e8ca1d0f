"""quantize: real numbers, or codes of another scale, as codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, Quantisation, TensorType, rounded_scale
from netgen.ops.fixed_point import Multiplier, bounded_multiplier
from netgen.ops.rescaled import dequantised, quantised, scale_of

_CODES = ("i8", "u8", "i16")
_ROUNDINGS = ("away", "even")


@dataclass(frozen=True)
class Quantize(Operator):
    """Codes of x: round(x / scale) + zero, halves away from zero, saturating.

    With the `rounding` `even` halves go to even, and codes of another scale are rounded as the real
    numbers that they stand for. Source: ONNX operators, QuantizeLinear.

    The quotient is one of float32. Not-a-number, to which TensorFlow Lite gives no code, has the
    lowest. Source: TensorFlow Lite, `reference/quantize.h`, AffineQuantize.

    Codes of another scale are rescaled in the integers of `fixed_point`. Source: TensorFlow Lite,
    `quantize.cc`, Prepare; `reference/requantize.h`.
    """

    operator_name: ClassVar[str] = "quantize"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", *_CODES})
    same_place: ClassVar[frozenset[str]] = frozenset({"x"})
    scale: float = 1.0
    zero: int = 0
    dtype: str = "i8"
    rounding: str = "away"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dtype not in _CODES:
            raise GraphError(
                "codes are integers", expected=f"one of {', '.join(_CODES)}", found=self.dtype
            )
        if self.rounding not in _ROUNDINGS:
            raise GraphError(
                "an unknown rounding", expected=" or ".join(_ROUNDINGS), found=self.rounding
            )
        TensorType(self.dtype, (), Quantisation(self.scale, self.zero))

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The shape of x."""
        x = operands[0]
        if not x.element.is_float and self.rounding == "away":
            self.multiplier(x)
        return TensorType(self.dtype, x.shape, Quantisation(self.scale, self.zero))

    def multiplier(self, x: TensorType) -> Multiplier:
        """The factor of codes of x less their zero point."""
        return bounded_multiplier(scale_of(x) / self.scale, x.element.high - x.element.low)

    def is_identity(self, operands: Sequence[TensorType], result: TensorType) -> bool:
        """Whether codes stay as they are."""
        return operands[0] == result

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """The formula, rounded exactly in float64: a half can be added to any float32."""
        kind, element = signature.operands[0], signature.result.element
        if self.rounding == "even":
            real = kind.element.is_float
            numbers = operands[0] if real else dequantised(operands[0], kind)
            return quantised(numbers, signature.result)
        if not kind.element.is_float:
            codes = self.multiplier(kind).times(operands[0] - kind.zero) + self.zero
            saturated: Array = np.clip(codes, element.low, element.high)
            return saturated
        with np.errstate(over="ignore", invalid="ignore"):
            quotient = (operands[0].astype(np.float32) / np.float32(self.scale)).astype(np.float64)
            rounded = np.copysign(np.floor(np.abs(quotient) + 0.5), quotient)
        low, high = element.low - self.zero, element.high - self.zero
        codes = np.clip(np.nan_to_num(rounded, nan=low, posinf=high, neginf=low), low, high)
        shifted: Array = codes.astype(np.int64) + self.zero
        return shifted


def quantize(
    x: Tensor,
    scale: float,
    zero: int = 0,
    dtype: str = "i8",
    *,
    rounding: str = "away",
    name: str | None = None,
) -> Tensor:
    """Codes of x, as i8, u8 or i16; `scale` is rounded to float32."""
    with located():
        op = Quantize(rounded_scale(scale), zero, dtype, rounding)
    return apply(op, x, name=name)
