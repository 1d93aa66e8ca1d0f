"""silu: y = x / (1 + e^(-x)), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.sigmoid import Sigmoid


@dataclass(frozen=True)
class Silu(ElementwiseActivation):
    """x times its logistic function, also known as swish (Elfwing et al. 2017)."""

    operator_name: ClassVar[str] = "silu"
    # By integration, where x has the mean square 1 and 1/2.
    squares: ClassVar[tuple[float, float]] = (-0.0386, 0.3944)

    def activate(self, x: Array) -> Array:
        """X times sigmoid."""
        return x * Sigmoid().activate(x)


def silu(x: Tensor, *, name: str | None = None) -> Tensor:
    """X times its logistic function, also known as swish (Elfwing et al. 2017)."""
    return apply(Silu(), x, name=name)
