"""Results of codes: operators that give theirs a scale and a zero point, and clamps as activations.

Source: TensorFlow Lite 8-bit quantisation specification.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypedDict

import numpy as np

from netgen.errors import GraphError
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array, Quantisation, TensorType, is_scale, rounded_scale

# Of operators that have both.
BOTH_ROUNDINGS = ("fixed", "even")
# Activations of codes: the real numbers that they clamp to.
_CLAMPS: Mapping[str, tuple[float, float]] = {
    "none": (-math.inf, math.inf),
    "relu": (0.0, math.inf),
    "relu6": (0.0, 6.0),
    "relu_n1_to_1": (-1.0, 1.0),
}


@dataclass(frozen=True, kw_only=True)
class Rescaled(Operator):
    """Base of operators whose codes have a `scale` and a `zero` of their own.

    Without a scale the codes of the result are as those of the first operand. Floats have neither.
    With the `rounding` `even` they are what ONNX makes of real numbers (`quantised`).
    """

    scale: float = 0.0
    zero: int = 0
    rounding: str = "fixed"
    # How it may be computed: `fixed` as TensorFlow Lite does it, of some also `even` as ONNX does.
    roundings: ClassVar[tuple[str, ...]] = ("fixed",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rounding not in self.roundings:
            raise GraphError(
                "an unknown rounding",
                expected="one of " + ", ".join(self.roundings),
                found=self.rounding,
            )
        if self.scale != 0.0 and not is_scale(self.scale):
            raise GraphError(
                "this is no scale", expected="a positive float32", found=self.scale.hex()
            )
        if self.zero and self.scale == 0.0:
            raise GraphError(
                "a zero point without a scale", expected="both, or neither", found=str(self.zero)
            )

    def result_of(
        self, x: TensorType, shape: tuple[int, ...], dtype: str | None = None
    ) -> TensorType:
        """The elements of x under this shape, codes with the scale of the result.

        Codes are of the type of x, unless another `dtype` is given. Raises GraphError for floats
        with a scale, and for codes without one, or with several.
        """
        if x.element.is_float:
            if self.scale:
                raise GraphError("floats have no scale", found=f"{self.scale.hex()} for {x}")
            return x.with_shape(shape)
        scale_of(x)
        own = Quantisation(self.scale, self.zero) if self.scale else x.quantisation
        return TensorType(dtype or x.dtype, shape, own)


class OwnCodes(TypedDict, total=False):
    """The attributes of `Rescaled` by name; without them codes of a result are as those of x."""

    scale: float
    zero: int


def own_codes(scale: float | None, zero: int) -> OwnCodes:
    """The attributes of a result with this scale, rounded to float32, or with that of x."""
    return {"scale": 0.0 if scale is None else rounded_scale(scale), "zero": zero}


def scale_of(kind: TensorType) -> float:
    """The one scale of codes; raises GraphError where they have none, or several."""
    if kind.quantisation is None or not isinstance(kind.quantisation.scale, float):
        raise GraphError(
            "these codes have no one scale",
            expected=f"{kind.dtype}[...] {{scale=0x1p-7, zero=0}}",
            found=str(kind),
        )
    return kind.quantisation.scale


def clamped_codes(act: str, kind: TensorType) -> tuple[int, int]:
    """The lowest and the highest code of a result after an activation.

    Bounds are rounded in float32, halves away from zero. Source: TensorFlow Lite,
    `kernel_util.cc`, CalculateActivationRangeQuantizedImpl. Raises GraphError for activations that
    are no clamps.
    """
    if act not in _CLAMPS:
        raise GraphError(
            f"codes cannot be activated by {act} where a layer writes its result",
            expected="one of " + ", ".join(_CLAMPS),
        )
    low, high = (_code(bound, kind) for bound in _CLAMPS[act])
    return max(low, kind.element.low), min(high, kind.element.high)


def _code(bound: float, kind: TensorType) -> int:
    """The code of a real number, beyond the type for one that its codes do not reach."""
    with np.errstate(over="ignore"):
        quotient = float(np.float32(bound) / np.float32(scale_of(kind)))
    most = 2**31 - 1
    if abs(quotient) > most:
        return int(math.copysign(most, quotient))
    return kind.zero + int(math.copysign(math.floor(abs(quotient) + 0.5), quotient))


def quantised(numbers: Array, kind: TensorType) -> Array:
    """The codes of real numbers, those of float32: over the scale, halves to even, saturating.

    Not-a-number, to which ONNX gives no code, has the lowest. Source: ONNX operators,
    QuantizeLinear.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        quotients = numbers.astype(np.float32) / np.float32(scale_of(kind))
    low, high = kind.element.low - kind.zero, kind.element.high - kind.zero
    near = np.rint(np.nan_to_num(quotients.astype(np.float64), nan=low, posinf=high, neginf=low))
    codes: Array = np.clip(near, low, high).astype(np.int64) + kind.zero
    return codes


def dequantised(codes: Array, kind: TensorType) -> Array:
    """The real numbers that codes stand for, in float64, rounded once to float32.

    Source: ONNX operators, DequantizeLinear.
    """
    real = np.float32(scale_of(kind)) * (codes - kind.zero).astype(np.float32)
    return real.astype(np.float64)


def saturated(codes: Array, act: str, kind: TensorType) -> Array:
    """Codes clamped to those of the activation."""
    clamped: Array = np.clip(codes, *clamped_codes(act, kind))
    return clamped
