"""global_avg_pool: y[c] = mean over i,j of x[i,j,c]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import Signature
from netgen.ir.rows import Reach
from netgen.ir.tensor_type import Array, TensorType, rounded_scale
from netgen.ops.fixed_point import Multiplier, multiplier_of
from netgen.ops.rescaled import BOTH_ROUNDINGS, Rescaled, scale_of
from netgen.ops.window import check_rank

# How far a code is from its zero point at most, and how large int32 sums may be to be rescaled.
_WIDEST = 255
_LARGEST = 2**30
# Below it float32 has every whole number.
_EXACT = 2**24


@dataclass(frozen=True)
class GlobalAvgPool(Rescaled):
    """Mean over all pixels of x [1,H,W,C]: [1,1,1,C].

    Codes of the mean have a `scale` and a `zero` of their own, or without a scale those of x. They
    are round((sum of (x - x's zero)) * x's scale / (scale * pixels)) + zero, saturating, in the
    integers of `fixed_point`. Source: TensorFlow Lite, `reference/reduce.h`, QuantizedMeanOrSum.

    With the `rounding` `even` the sum is rounded to float32 and multiplied by x's scale over
    (scale * pixels), each step in float32; halves go to even. Source: ONNX Runtime,
    `mlas/lib/qlgavgpool.cpp`, whose factor this is.
    """

    operator_name: ClassVar[str] = "global_avg_pool"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8"})
    axis_letters: ClassVar[str] = "NHWC"
    roundings: ClassVar[tuple[str, ...]] = BOTH_ROUNDINGS
    keeps_range: ClassVar[bool] = True
    sums_rows: ClassVar[bool] = True

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """[1,1,1,C] of the elements of x, codes with the scale of the result."""
        x = operands[0]
        check_rank(x, 4, "x")
        result = self.result_of(x, (1, 1, 1, x.shape[3]))
        if x.element.is_float:
            return result
        pixels = x.shape[1] * x.shape[2]
        if self.rounding == "even":
            if _WIDEST * pixels >= _EXACT:
                raise GraphError(
                    "the sums of these codes are too large for float32",
                    expected=f"fewer than {_EXACT // _WIDEST} pixels",
                    found=str(pixels),
                )
            return result
        if (_WIDEST * pixels) << self.multiplier(x, result).left > _LARGEST:
            raise GraphError(
                "the sums of these codes are too large to be rescaled in int32",
                expected="fewer pixels, or a larger scale of the result",
                found=f"{pixels} pixels, {x} to {result}",
            )
        return result

    def multiplier(self, x: TensorType, result: TensorType) -> Multiplier:
        """The factor of sums of codes less their zero point."""
        factor = scale_of(x) / scale_of(result)
        return multiplier_of(factor).over(x.shape[1] * x.shape[2])

    def factor(self, x: TensorType, result: TensorType) -> float:
        """The factor of sums in float32, of the `rounding` `even`."""
        pixels = np.float32(x.shape[1] * x.shape[2])
        return float(np.float32(scale_of(x)) / (np.float32(scale_of(result)) * pixels))

    def sum_type(self, result: TensorType) -> TensorType:
        """Floats, or int32."""
        return result if result.element.is_float else TensorType("i32", result.shape)

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """numpy.mean; of codes as above, which needs no bits beyond those of int64."""
        (x,) = operands
        if signature.result.element.is_float:
            return np.asarray(x.mean(axis=(1, 2), keepdims=True))
        return self._rescaled(x.sum(axis=(1, 2), keepdims=True), signature)

    def _rescaled(self, sums: Array, signature: Signature) -> Array:
        """The codes of the means of codes that have these sums."""
        (x,), result = signature.operands, signature.result
        centred = sums - x.zero * x.shape[1] * x.shape[2]
        if self.rounding == "even":
            products = centred.astype(np.float32) * np.float32(self.factor(x, result))
            codes = np.rint(products.astype(np.float64)).astype(np.int64) + result.zero
        else:
            codes = self.multiplier(x, result).times(centred) + result.zero
        clipped: Array = np.clip(codes, result.element.low, result.element.high)
        return clipped

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """The row that is added next."""
        del letter, operands, result
        return Reach()

    def reference_sum(
        self, before: Array, x: Array, signature: Signature, first: int, end: int
    ) -> Array:
        """Sums: of codes as they are, of floats rounded to float32 in the order of rows."""
        _, height, width, _ = signature.operands[0].shape
        if not signature.result.element.is_float:
            sums = before + x[:, first:end].sum(axis=(1, 2), keepdims=True)
            return self._rescaled(sums, signature) if end == height else sums
        total = before.astype(np.float32)
        for row in range(first, end):
            total = total + x[:, row : row + 1].sum(axis=2, keepdims=True).astype(np.float32)
        return total / np.float32(height * width) if end == height else total

    def second_moment(self, operands: Sequence[float]) -> float:
        """Assume rectified values: of their mean square 1/2 the mean's square 1/(2 pi) survives.

        For zero-mean values this is too much; the factor then only makes the classifier smaller.
        """
        return operands[0] / 3.0


def global_avg_pool(
    x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """Mean over all pixels; of codes with this scale, rounded to float32, or with that of x."""
    with located():
        op = GlobalAvgPool(scale=0.0 if scale is None else rounded_scale(scale), zero=zero)
    return apply(op, x, name=name)
