"""sigmoid: y = 1 / (1 + exp(-x)), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.magnitude import Range
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.rescaled import own_codes
from netgen.ops.tabulated import exponential, tabulated


@dataclass(frozen=True)
class Sigmoid(ElementwiseActivation):
    """Logistic function; of codes as `tabulated` says, from an exponential rounded correctly."""

    operator_name: ClassVar[str] = "sigmoid"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8"})
    # By integration, to three digits: 1/2, and a little that grows with the argument.
    squares: ClassVar[tuple[float, float]] = (0.25, 0.043)
    limits: ClassVar[Range] = (0.0, 1.0)

    def activate(self, x: Array) -> Array:
        """1 / (1 + exp(-x)), below zero as exp(x) / (1 + exp(x)): nothing overflows."""
        power = np.exp(-np.abs(x))
        return np.where(x < 0.0, power, 1.0) / (1.0 + power)

    def codes(self, x: Array, kind: TensorType, result: TensorType) -> Array:
        """The codes nearest to the function of the real numbers, in float32."""
        return tabulated(_of_float, x, kind, result)


def _of_float(x: np.float32) -> np.float32:
    """The formula of float32, whose exponential is infinite where that is none of float32."""
    with np.errstate(over="ignore"):
        power = np.float32(float(exponential(-float(x))))
    return np.float32(1.0) / (np.float32(1.0) + power)


def sigmoid(
    x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """Logistic function; of codes with this scale, or with that of x."""
    with located():
        op = Sigmoid(**own_codes(scale, zero))
    return apply(op, x, name=name)
