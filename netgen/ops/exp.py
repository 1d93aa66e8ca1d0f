"""exp: y = e^x, elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.magnitude import Range
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.rescaled import own_codes
from netgen.ops.tabulated import exponential, tabulated


@dataclass(frozen=True)
class Exp(ElementwiseActivation):
    """Exponential function; of codes as `tabulated` says, from one that is rounded correctly."""

    operator_name: ClassVar[str] = "exp"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8"})
    limits: ClassVar[Range] = (0.0, inf)

    def activate(self, x: Array) -> Array:
        """numpy.exp."""
        with np.errstate(over="ignore"):
            return np.exp(x)

    def codes(self, x: Array, kind: TensorType, result: TensorType) -> Array:
        """The codes nearest to the function of the real numbers, in float32."""
        return tabulated(_of_float, x, kind, result)

    def second_moment(self, operands: Sequence[float]) -> float:
        """The value of a normal x."""
        return float(np.exp(2.0 * operands[0]))


def _of_float(x: np.float32) -> np.float32:
    with np.errstate(over="ignore"):
        return np.float32(float(exponential(float(x))))


def exp(x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None) -> Tensor:
    """Exponential function; of codes with this scale, or with that of x."""
    with located():
        op = Exp(**own_codes(scale, zero))
    return apply(op, x, name=name)
