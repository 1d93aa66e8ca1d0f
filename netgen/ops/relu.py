"""relu: y = max(x, 0), elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.magnitude import Range, Spread
from netgen.ops.clamp import Clamp
from netgen.ops.rescaled import own_codes


@dataclass(frozen=True)
class Relu(Clamp):
    """Rectified linear unit."""

    operator_name: ClassVar[str] = "relu"
    squares: ClassVar[tuple[float, float]] = (0.0, 0.5)
    limits: ClassVar[Range] = (0.0, inf)
    unchanged: ClassVar[Range | None] = (0.0, inf)

    def spread(self, operands: Sequence[Spread]) -> Spread:
        """The spread of the numbers of x above zero."""
        return Spread(operands[0].square * operands[0].above, 1.0)


def relu(
    x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """Rectified linear unit; of codes with this scale, or with that of x."""
    with located():
        op = Relu(**own_codes(scale, zero))
    return apply(op, x, name=name)
