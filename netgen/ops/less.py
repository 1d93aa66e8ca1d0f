"""less: y = act(1 where a < b, else 0), elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.tensor_type import Array
from netgen.ops.broadcast import FloatBroadcast


@dataclass(frozen=True)
class Less(FloatBroadcast):
    """A mask of floats: 1 where a is less than b, else 0."""

    operator_name: ClassVar[str] = "less"
    commutes: ClassVar[bool] = False
    spread_letters: ClassVar[frozenset[str]] = frozenset({"a", "b"})

    def combine(self, a: Array, b: Array) -> Array:
        """numpy.less, as numbers."""
        return np.less(a, b).astype(np.float64)


def less(a: Tensor, b: Tensor, *, name: str | None = None) -> Tensor:
    """1 where a is less than b, else 0."""
    return apply(Less(), a, b, name=name)
