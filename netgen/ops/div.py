"""div: y = act(a / b), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.broadcast import FloatBroadcast


@dataclass(frozen=True)
class Div(FloatBroadcast):
    """Quotient of a and b; a number by zero is infinite, zero by zero NaN."""

    operator_name: ClassVar[str] = "div"
    commutes: ClassVar[bool] = False
    spread_letters: ClassVar[frozenset[str]] = frozenset({"a", "b"})

    def combine(self, a: Array, b: Array) -> Array:
        """numpy.divide."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.divide(a, b)


def div(a: Tensor, b: Tensor, *, name: str | None = None) -> Tensor:
    """Quotient of two tensors, which are broadcast."""
    return apply(Div(), a, b, name=name)
