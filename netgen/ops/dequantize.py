"""dequantize: codes as the real numbers that they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.errors import GraphError
from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class Dequantize(Operator):
    """Real numbers f32 of codes: scale * (x - zero), rounded once.

    Source: TensorFlow Lite, `reference/dequantize.h`.
    """

    operator_name: ClassVar[str] = "dequantize"
    element_types: ClassVar[frozenset[str]] = frozenset({"i8", "u8", "i16"})

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32 of the shape of x; raises GraphError where x has no scale, or several."""
        x = operands[0]
        if x.quantisation is None or x.quantisation.axis is not None:
            raise GraphError(
                "these codes have no one scale",
                expected="x as i8[1,8] {scale=0x1p-7, zero=0}",
                found=str(x),
            )
        return TensorType("f32", x.shape)

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """The formula; float64 holds the product exactly."""
        quantisation = signature.operands[0].quantisation
        assert quantisation is not None
        assert isinstance(quantisation.scale, float)
        result: Array = quantisation.scale * (operands[0] - quantisation.zero).astype(float)
        return result


def dequantize(x: Tensor, *, name: str | None = None) -> Tensor:
    """The real numbers that codes stand for."""
    return apply(Dequantize(), x, name=name)
