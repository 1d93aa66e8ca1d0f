"""gelu_tanh: y = x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.rescaled import own_codes
from netgen.ops.tabulated import hyperbolic_tangent, tabulated


@dataclass(frozen=True)
class GeluTanh(ElementwiseActivation):
    """GELU in terms of tanh (Hendrycks and Gimpel 2016); of codes as `tabulated` says."""

    operator_name: ClassVar[str] = "gelu_tanh"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8"})
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (-0.0462, 0.4713)

    def activate(self, x: Array) -> Array:
        """The formula."""
        inner = np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3)
        return np.asarray(0.5 * x * (1.0 + np.tanh(inner)))

    def codes(self, x: Array, kind: TensorType, result: TensorType) -> Array:
        """The codes nearest to the function of the real numbers, in float32."""
        return tabulated(_of_float, x, kind, result)


def _of_float(x: np.float32) -> np.float32:
    """The formula, each step in float32."""
    cube = np.float32(0.044715) * x * x * x
    bounded = hyperbolic_tangent(float(np.float32(np.sqrt(2.0 / np.pi)) * (x + cube)))
    return np.float32(0.5) * x * (np.float32(1.0) + np.float32(bounded))


def gelu_tanh(
    x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """GELU in terms of tanh; of codes with this scale, or with that of x."""
    with located():
        op = GeluTanh(**own_codes(scale, zero))
    return apply(op, x, name=name)
