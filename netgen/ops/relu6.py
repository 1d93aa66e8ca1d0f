"""relu6: y = min(max(x, 0), 6), elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.magnitude import Range, Spread
from netgen.ir.tensor_type import Array
from netgen.ops.activation import ElementwiseActivation


@dataclass(frozen=True)
class Relu6(ElementwiseActivation):
    """Rectified linear unit capped at 6 (Howard et al. 2017, MobileNets)."""

    operator_name: ClassVar[str] = "relu6"
    squares: ClassVar[tuple[float, float]] = (0.0, 0.5)
    limits: ClassVar[Range] = (0.0, 6.0)
    unchanged: ClassVar[Range | None] = (0.0, 6.0)

    def activate(self, x: Array) -> Array:
        """The nearest number to x from 0 to 6."""
        return np.clip(x, 0.0, 6.0)

    def spread(self, operands: Sequence[Spread]) -> Spread:
        """The spread of the numbers of x above zero; few lie above 6."""
        return Spread(operands[0].square * operands[0].above, 1.0)


def relu6(x: Tensor, *, name: str | None = None) -> Tensor:
    """Rectified linear unit capped at 6 (Howard et al. 2017, MobileNets)."""
    return apply(Relu6(), x, name=name)
