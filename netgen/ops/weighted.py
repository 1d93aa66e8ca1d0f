"""Layers with weights: floats alone, or codes whose sums of products are rescaled to codes.

Sources: TensorFlow Lite 8-bit quantisation specification; `kernel_util.cc`,
PopulateConvolutionQuantizationParams; `reference/integer_ops/fully_connected.h`, FullyConnected.
ONNX operators, QLinearConv; ONNX Runtime, `qlinearconv.cc` and `mlas/lib/quantize.cpp`,
MlasRequantizeOutput.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.errors import GraphError
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activate, find_activation
from netgen.ops.fixed_point import Multipliers, multipliers_of
from netgen.ops.rescaled import Rescaled, clamped_codes, saturated, scale_of


@dataclass(frozen=True, kw_only=True)
class Weighted(Rescaled):
    """Base of operators that add products of x and w to a bias b: of floats, or of codes.

    Codes of x, i8 or u8, go with weights of the same type, which have one scale or one for each
    output, along axis 0. Those of u8 may go with weights of i8 around zero, as pixels do: the
    result is of the type of the weights, and has a scale of its own. The bias is i32, in units of
    x's scale times that of the weights; its own scale does not count. Sums are exact. The code of a
    sum is round(sum * (x's scale * w's scale / scale)) + zero, clamped by `act`. `rounding` says
    how:

    - `fixed`: by a multiplier in fixed point, rounded twice (`fixed_point`). The factor is one of
      float64.
    - `fixed32`: likewise, but the product of the scales of x and w is rounded to float32.
    - `real`: the sum and the factor are multiplied in float64, halves are rounded away from zero.
    - `even`: the factor is one of float32, the product of the scales of x and w over that of the
      result. The sum is rounded to float32 and multiplied by it, halves go to even.
    - `wide`: by a multiplier of 15 bits, rounded once, halves up.

    Codes of i16 go with weights of i8, all of them around zero, and are rescaled by `wide` or by
    `real`: their sums may need more than 32 bits.
    """

    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8", "i16", "i32"})
    roundings: ClassVar[tuple[str, ...]] = ("fixed", "fixed32", "real", "even", "wide")

    def __post_init__(self) -> None:
        super().__post_init__()
        find_activation(self._act)

    @property
    def _act(self) -> str:
        """Its attribute `act`, which stands behind the attributes of each operator's own."""
        return self.activation or "none"

    def weighted(self, operands: Sequence[TensorType], shape: tuple[int, ...]) -> TensorType:
        """The type of a result of this shape; raises GraphError unless the elements fit."""
        x, w, *rest = operands
        mixed = (x.dtype, w.dtype) == ("u8", "i8") and w.zero == 0
        expected = "i32" if not x.element.is_float else x.dtype
        wide = (x.dtype, w.dtype, x.zero, w.zero) == ("i16", "i8", 0, 0)
        fits = (w.dtype == x.dtype or mixed) and x.dtype in {"f32", "i8", "u8"}
        fits = (fits and self.rounding != "wide") or (wide and self.rounding in {"wide", "real"})
        if not fits or any(b.dtype != expected for b in rest):
            raise GraphError(
                f"{self.operator_name} takes floats, or codes with a bias of i32",
                expected="x, w and b as f32, as i8, i8 and i32, as u8, u8 and i32, as u8, i8 "
                "around zero and i32, or as i16, i8 and i32 around zero with rounding=wide or real",
                found=", ".join(map(_told, operands)),
            )
        if mixed and not self.scale:
            raise GraphError(
                f"{self.operator_name} of u8 by i8 needs a scale", expected="{scale=0x1p-7, zero=0}"
            )
        result = self.result_of(x, shape, x.dtype if wide else w.dtype)
        if x.element.is_float:
            return result
        if w.quantisation is None or w.quantisation.axis not in {None, 0}:
            raise GraphError(
                "these weights have no scales of outputs",
                expected=f"w as {w.dtype}[...] {{scale=@w.scale, axis=0}}",
                found=str(w),
            )
        clamped_codes(self._act, result)
        return result

    def finished(self, sums: Array, signature: Signature) -> Array:
        """The result of sums with their bias, outputs last."""
        result = signature.result
        if result.element.is_float:
            return activate(self._act, sums)
        x, w = signature.operands[:2]
        whole = np.rint(sums).astype(np.int64)
        factors = self.factors(x, w, result, signature.scales)
        if self.rounding == "even":
            products = whole.astype(np.float32) * factors.astype(np.float32)
            codes = np.rint(products.astype(np.float64)).astype(np.int64)
        elif self.rounding == "real":
            real = whole.astype(np.float64) * factors
            rounded = np.trunc(real)
            rounded += np.sign(real) * (np.abs(real - rounded) >= 0.5)
            codes = np.clip(rounded, -(2.0**31), 2.0**31).astype(np.int64)
        elif self.rounding == "wide":
            codes = multipliers_of(factors).times_wide(whole)
        else:
            codes = multipliers_of(factors).times(whole)
        return saturated(codes + result.zero, self._act, result)

    def factors(
        self, x: TensorType, w: TensorType, result: TensorType, scales: Mapping[str, Array]
    ) -> Array:
        """The factor of each output's sums, in float64; of weights of one scale one for all."""
        assert w.quantisation is not None
        own = w.quantisation.scale
        weights = np.array([own]) if isinstance(own, float) else scales[own]
        product = np.float32(scale_of(x)) * weights.astype(np.float32)
        if self.rounding == "even":
            return np.asarray((product / np.float32(scale_of(result))).astype(np.float64))
        if self.rounding == "fixed32":
            return np.asarray(product.astype(np.float64) / scale_of(result))
        return np.asarray(scale_of(x) * weights / scale_of(result))

    def multipliers(
        self, x: TensorType, w: TensorType, result: TensorType, scales: Mapping[str, Array]
    ) -> Multipliers:
        """The factors in fixed point."""
        return multipliers_of(self.factors(x, w, result, scales))


def _told(kind: TensorType) -> str:
    """An element type, and the zero point that its codes are around if there is one."""
    return f"{kind.dtype} around {kind.zero}" if kind.zero else kind.dtype


def centred(operand: Array, kind: TensorType) -> Array:
    """An operand as float64: codes less their zero point, which products of floats hold exactly."""
    return np.asarray(operand.astype(np.float64) - kind.zero)
