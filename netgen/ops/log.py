"""log: the natural logarithm, elementwise."""

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
from netgen.ops.rescaled import own_codes, scale_of
from netgen.ops.tabulated import logarithm, tabulated


@dataclass(frozen=True)
class Log(ElementwiseActivation):
    """Natural logarithm; NaN below zero. Of codes as `tabulated` says, there the lowest code."""

    operator_name: ClassVar[str] = "log"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8"})
    domain: ClassVar[Range] = (0.0, inf)

    def activate(self, x: Array) -> Array:
        """numpy.log."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(x)

    def codes(self, x: Array, kind: TensorType, result: TensorType) -> Array:
        """The codes nearest to the function of the real numbers, in float32.

        Source: TensorFlow Lite, `elementwise.cc`, LogLUTPrepare.
        """
        lowest = np.float32(result.element.low - result.zero) * np.float32(scale_of(result))
        return tabulated(
            lambda real: np.float32(logarithm(float(real))) if real > 0 else lowest, x, kind, result
        )

    def second_moment(self, operands: Sequence[float]) -> float:
        """The value of a normal x: log |x| has the mean log s - 0.635 and the variance pi^2 / 8."""
        return float((0.5 * np.log(operands[0]) - 0.6352) ** 2 + np.pi**2 / 8.0)


def log(x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None) -> Tensor:
    """Natural logarithm; NaN below zero; of codes with this scale, or with that of x."""
    with located():
        op = Log(**own_codes(scale, zero))
    return apply(op, x, name=name)
