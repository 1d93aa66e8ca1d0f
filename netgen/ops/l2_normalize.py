"""l2_normalize: y[c] = x[c] / sqrt(sum of x[c]^2 over all channels), of codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.fixed_point import Multipliers
from netgen.ops.inverse_root import inverse_roots
from netgen.ops.rescaled import Rescaled, own_codes, saturated, scale_of

# Squares of so many differences of codes fit into int32.
_MOST_CHANNELS = (2**31 - 1) // 255**2
_STEP = 1.0 / 128.0
# Codes of the result for each unit, as bits.
_BITS = 7


@dataclass(frozen=True)
class L2Normalize(Rescaled):
    """Each pixel over the root of the sum of its squares; codes of the result are 128ths.

    Of codes only: of floats it is written out.
    """

    operator_name: ClassVar[str] = "l2_normalize"
    element_types: ClassVar[frozenset[str]] = frozenset({"i8", "u8"})
    roundings: ClassVar[tuple[str, ...]] = ("fixed",)

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The type of x in 128ths around the middle of all codes."""
        (x,) = operands
        result, middle = self.result_of(x, x.shape), _middle(x)
        if scale_of(result) != _STEP or result.zero != middle:
            raise GraphError(
                "the codes of a normalised pixel are 128ths",
                expected=f"scale=0x1p-7, zero={middle}",
                found=str(result),
            )
        if x.shape[-1] > _MOST_CHANNELS:
            raise GraphError(
                "the sum of so many squares does not fit into int32",
                expected=f"at most {_MOST_CHANNELS} channels",
                found=str(x.shape[-1]),
            )
        return result

    @staticmethod
    def shifted(kind: TensorType) -> int:
        """Bits by which codes are shifted before they are multiplied: those of uint8 by all."""
        return _BITS if kind.dtype == "u8" else 0

    @staticmethod
    def shifted_later(kind: TensorType) -> int:
        """Bits by which the multiplier is larger instead: it rounds fewer of them away."""
        return 0 if kind.dtype == "u8" else _BITS

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """Products with the inverse root of the sum of squares.

        Sources: TensorFlow Lite, `reference/integer_ops/l2normalization.h`,
        `reference/l2normalization.h`.
        """
        (kind,), result = signature.operands, signature.result
        x = operands[0] - kind.zero
        roots = inverse_roots(np.square(x).sum(axis=-1, keepdims=True))
        by = Multipliers(roots.mantissa, roots.shift + self.shifted_later(kind))
        return saturated(by.times(x << self.shifted(kind)) + result.zero, "none", result)


def _middle(kind: TensorType) -> int:
    return (kind.element.low + kind.element.high + 1) // 2


def l2_normalize(x: Tensor, *, name: str | None = None) -> Tensor:
    """Codes of each pixel over the root of the sum of its squares, as 128ths."""
    with located():
        op = L2Normalize(**own_codes(_STEP, _middle(x.type)))
    return apply(op, x, name=name)
