"""minimum: y = act(the lesser of a and b), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.broadcast import FloatBroadcast, in_order


@dataclass(frozen=True)
class Minimum(FloatBroadcast):
    """The lesser of a and b; NaN where either is."""

    operator_name: ClassVar[str] = "minimum"

    def combine(self, a: Array, b: Array) -> Array:
        """numpy.minimum."""
        return np.minimum(a, b)


def minimum(a: Tensor, b: Tensor, *, name: str | None = None) -> Tensor:
    """The lesser of two tensors, element by element."""
    return apply(Minimum(), *in_order(a, b), name=name)
