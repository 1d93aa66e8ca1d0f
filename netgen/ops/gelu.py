"""gelu: y = x (1 + erf(x / sqrt 2)) / 2, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.erf import Erf
from netgen.ops.rescaled import own_codes
from netgen.ops.tabulated import error_complement, tabulated


@dataclass(frozen=True)
class Gelu(ElementwiseActivation):
    """x times the share of a normal value that is below it (Hendrycks and Gimpel 2016).

    Of codes as `tabulated` says.
    """

    operator_name: ClassVar[str] = "gelu"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8"})
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (-0.0461, 0.4713)

    def activate(self, x: Array) -> Array:
        """The formula with math.erf."""
        return 0.5 * x * (1.0 + Erf().activate(x / np.sqrt(2.0)))

    def codes(self, x: Array, kind: TensorType, result: TensorType) -> Array:
        """The codes nearest to the function of the real numbers, in float32."""
        return tabulated(_of_float, x, kind, result)


def _of_float(x: np.float32) -> np.float32:
    """The formula of float32, which has the complement of the error function."""
    share = np.float32(error_complement(float(x * -np.float32(np.sqrt(0.5)))))
    return np.float32(0.5) * x * share


def gelu(
    x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """X times the share of a normal value below it; of codes with this scale, or with that of x."""
    with located():
        op = Gelu(**own_codes(scale, zero))
    return apply(op, x, name=name)
