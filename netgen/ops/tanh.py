"""tanh: the hyperbolic tangent, elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.magnitude import Range, Spread
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.rescaled import own_codes
from netgen.ops.tabulated import hyperbolic_tangent, tabulated


@dataclass(frozen=True)
class Tanh(ElementwiseActivation):
    """Hyperbolic tangent; of codes as `tabulated` says, from one that is rounded correctly."""

    operator_name: ClassVar[str] = "tanh"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8"})
    # By integration, to three digits, where x has the mean square 1.
    squares: ClassVar[tuple[float, float]] = (0.0, 0.394)
    limits: ClassVar[Range] = (-1.0, 1.0)

    def activate(self, x: Array) -> Array:
        """numpy.tanh."""
        return np.tanh(x)

    def codes(self, x: Array, kind: TensorType, result: TensorType) -> Array:
        """The codes nearest to the function of the real numbers, in float32."""
        return tabulated(_of_float, x, kind, result)

    def spread(self, operands: Sequence[Spread]) -> Spread:
        """Mean square of a centred normal value: within 2 % of the integral."""
        square = operands[0].square
        return Spread(square / (1.0 + 1.54 * square**0.86), operands[0].above)


def _of_float(x: np.float32) -> np.float32:
    return np.float32(hyperbolic_tangent(float(x)))


def tanh(
    x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """Hyperbolic tangent; of codes with this scale, or with that of x."""
    with located():
        op = Tanh(**own_codes(scale, zero))
    return apply(op, x, name=name)
