"""log_softmax: y[c] = x[c] - log(sum over all channels of exp(x)), of codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.fixed_point import halved
from netgen.ops.log_softmax_of_codes import codes_of, logarithms
from netgen.ops.rescaled import Rescaled, own_codes, saturated, scale_of
from netgen.ops.softmax_of_codes import exponents_of_codes, powers_of_codes

_MOST_CHANNELS = 4095
_STEP = 1.0 / 16.0
# Bits that a 16th has in Q5.26.
_BITS = 22


@dataclass(frozen=True)
class LogSoftmax(Rescaled):
    """Logarithm of the softmax of each pixel; codes of the result are 16ths below the highest.

    Of codes only: of floats it is written out.
    """

    operator_name: ClassVar[str] = "log_softmax"
    element_types: ClassVar[frozenset[str]] = frozenset({"i8", "u8"})
    roundings: ClassVar[tuple[str, ...]] = ("fixed",)

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The type of x in 16ths, with the highest code for 0."""
        (x,) = operands
        result = self.result_of(x, x.shape)
        if scale_of(result) != _STEP or result.zero != x.element.high:
            raise GraphError(
                "the codes of a logarithm of a softmax are 16ths",
                expected=f"scale=0x1p-4, zero={x.element.high}",
                found=str(result),
            )
        if x.shape[-1] > _MOST_CHANNELS:
            raise GraphError(
                "the sum of so many powers does not fit into int32",
                expected=f"at most {_MOST_CHANNELS} channels",
                found=str(x.shape[-1]),
            )
        exponents_of_codes(1.0, scale_of(x))
        return result

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """Exponents less the logarithm of the sum of their powers; those far below are nothing.

        Source: TensorFlow Lite, `reference/log_softmax.h`, LogSoftmaxQuantized.
        """
        (kind,), result = signature.operands, signature.result
        below = operands[0].max(axis=-1, keepdims=True) - operands[0]
        by, powers = exponents_of_codes(1.0, scale_of(kind)), powers_of_codes(1.0, scale_of(kind))
        log = logarithms(halved(powers, 12)[below].sum(axis=-1, keepdims=True))
        # What is less than all numbers in Q5.26 has the lowest code.
        reach = np.minimum(by.furthest + 1, -codes_of(by).times(log - (1 << 31)))
        exponents = by.factor.times(-below.clip(max=by.furthest))
        codes = halved(exponents - log, _BITS) + result.zero
        return saturated(np.where(below < reach, codes, result.element.low), "none", result)


def log_softmax(x: Tensor, *, name: str | None = None) -> Tensor:
    """Logarithm of the softmax over the channels of codes, as 16ths."""
    with located():
        op = LogSoftmax(**own_codes(_STEP, x.type.element.high))
    return apply(op, x, name=name)
