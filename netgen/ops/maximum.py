"""maximum: y = act(the greater of a and b), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.broadcast import FloatBroadcast, in_order


@dataclass(frozen=True)
class Maximum(FloatBroadcast):
    """The greater of a and b; NaN where either is."""

    operator_name: ClassVar[str] = "maximum"

    def combine(self, a: Array, b: Array) -> Array:
        """numpy.maximum."""
        return np.maximum(a, b)


def maximum(a: Tensor, b: Tensor, *, name: str | None = None) -> Tensor:
    """The greater of two tensors, element by element."""
    return apply(Maximum(), *in_order(a, b), name=name)
