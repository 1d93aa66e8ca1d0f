"""equal: y = act(1 where a = b, else 0), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.broadcast import FloatBroadcast, in_order


@dataclass(frozen=True)
class Equal(FloatBroadcast):
    """A mask of floats: 1 where a equals b, else 0."""

    operator_name: ClassVar[str] = "equal"

    def combine(self, a: Array, b: Array) -> Array:
        """numpy.equal, as numbers."""
        return np.equal(a, b).astype(np.float64)


def equal(a: Tensor, b: Tensor, *, name: str | None = None) -> Tensor:
    """1 where a equals b, else 0."""
    return apply(Equal(), *in_order(a, b), name=name)
