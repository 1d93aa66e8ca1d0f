"""rsqrt: y = 1 / sqrt(x) of codes, elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.fixed_point import Multiplier, multiplier_of
from netgen.ops.inverse_root import inverse_roots
from netgen.ops.rescaled import Rescaled, own_codes, saturated, scale_of

# Bits behind the point of inverse roots, before they are brought to the scale of the result.
_BITS = 20


@dataclass(frozen=True)
class Rsqrt(Rescaled):
    """The inverse of the square root; of numbers up to zero the highest code there is.

    Of codes only: of floats it is the quotient of 1 by `sqrt`. TensorFlow Lite takes codes of
    negative numbers for an error.
    """

    operator_name: ClassVar[str] = "rsqrt"
    element_types: ClassVar[frozenset[str]] = frozenset({"i8"})
    roundings: ClassVar[tuple[str, ...]] = ("fixed",)
    same_place: ClassVar[frozenset[str]] = frozenset({"x"})

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The type of x, with the scale of the result; raises GraphError where it is far off."""
        (x,) = operands
        result = self.result_of(x, x.shape)
        self.multiplier(x, result)
        return result

    def multiplier(self, x: TensorType, result: TensorType) -> Multiplier:
        """The factor of inverse roots of codes, behind whose point stand 20 bits."""
        with np.errstate(over="ignore", under="ignore"):
            product = float(np.sqrt(np.float32(scale_of(x))) * np.float32(scale_of(result)))
        found = multiplier_of(1.0 / product) if product else Multiplier(0, 64)
        by = Multiplier(found.mantissa, found.shift - _BITS)
        if by.left > 10 or by.right > 31:
            raise GraphError(
                "these scales are too far apart for int32",
                expected="1 / (sqrt(x's scale) * the result's) from 2^-11 to 2^30",
                found=f"{scale_of(x):g} and {scale_of(result):g}",
            )
        return by

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """Code by code. Source: TensorFlow Lite, `elementwise.cc`, RsqrtEvalQuantizedInt8."""
        (kind,), result = signature.operands, signature.result
        x = operands[0] - kind.zero
        roots = inverse_roots(x.clip(min=1))
        ones = np.ones(x.shape, np.int64)
        whole = type(roots)(roots.mantissa, roots.shift + _BITS).times(ones)
        codes = self.multiplier(kind, result).times(whole) + result.zero
        return saturated(np.where(x > 0, codes, result.element.high), "none", result)


def rsqrt(
    x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """The inverse square root of codes, with this scale, or with that of x."""
    with located():
        op = Rsqrt(**own_codes(scale, zero))
    return apply(op, x, name=name)
