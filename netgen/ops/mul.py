"""mul: y = act(a b), elementwise; b may be one number per channel (squeeze-and-excite)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activated_moment
from netgen.ops.broadcast import WIDER_CODES, Broadcast, in_order
from netgen.ops.fixed_point import Multiplier, bounded_multiplier, float_ratio
from netgen.ops.rescaled import BOTH_ROUNDINGS, own_codes, scale_of


@dataclass(frozen=True)
class Mul(Broadcast):
    """Product of a [1,H,W,C] and b, of the same shape or [1,1,1,C]."""

    operator_name: ClassVar[str] = "mul"
    element_types: ClassVar[frozenset[str]] = WIDER_CODES
    roundings: ClassVar[tuple[str, ...]] = BOTH_ROUNDINGS

    def combine(self, a: Array, b: Array) -> Array:
        """numpy.multiply."""
        return np.multiply(a, b)

    def codes(self, a: Array, b: Array, kinds: Sequence[TensorType], result: TensorType) -> Array:
        """The product of both less their zero points, rounded to the scale of the result.

        Source: TensorFlow Lite, `mul.cc`, Prepare; `reference/integer_ops/mul.h`.
        """
        product = (a - kinds[0].zero) * (b - kinds[1].zero)
        return self.multiplier(kinds, result).times(product) + result.zero

    def multiplier(self, kinds: Sequence[TensorType], result: TensorType) -> Multiplier:
        """The factor of products, computed in float32."""
        ratio = float_ratio(*map(scale_of, kinds), over=scale_of(result))
        furthest = 2**15 if result.dtype == "i16" else 255
        return bounded_multiplier(ratio, furthest**2)

    def second_moment(self, operands: Sequence[float]) -> float:
        """Multiply mean squares, as for independent values."""
        return activated_moment(self.act, prod(operands))


def mul(
    a: Tensor, b: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """Product of two tensors of one shape, or of an image and one number per channel; `a * b`.

    Codes have this scale, or that of a.
    """
    with located():
        op = Mul(**own_codes(scale, zero))
    return apply(op, *in_order(a, b), name=name)
