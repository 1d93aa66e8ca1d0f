"""less_or_equal: y = act(1 where a <= b, else 0), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.broadcast import FloatBroadcast


@dataclass(frozen=True)
class LessOrEqual(FloatBroadcast):
    """A mask of floats: 1 where a is at most b, else 0."""

    operator_name: ClassVar[str] = "less_or_equal"
    commutes: ClassVar[bool] = False
    spread_letters: ClassVar[frozenset[str]] = frozenset({"a", "b"})

    def combine(self, a: Array, b: Array) -> Array:
        """numpy.less_equal, as numbers."""
        return np.less_equal(a, b).astype(np.float64)


def less_or_equal(a: Tensor, b: Tensor, *, name: str | None = None) -> Tensor:
    """1 where a is at most b, else 0."""
    return apply(LessOrEqual(), a, b, name=name)
