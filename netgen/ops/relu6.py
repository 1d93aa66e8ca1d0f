"""relu6: y = min(max(x, 0), 6), elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.magnitude import Range, Spread
from netgen.ops.clamp import Clamp
from netgen.ops.rescaled import own_codes


@dataclass(frozen=True)
class Relu6(Clamp):
    """Rectified linear unit capped at 6 (Howard et al. 2017, MobileNets)."""

    operator_name: ClassVar[str] = "relu6"
    squares: ClassVar[tuple[float, float]] = (0.0, 0.5)
    limits: ClassVar[Range] = (0.0, 6.0)
    unchanged: ClassVar[Range | None] = (0.0, 6.0)

    def spread(self, operands: Sequence[Spread]) -> Spread:
        """The spread of the numbers of x above zero; few lie above 6."""
        return Spread(operands[0].square * operands[0].above, 1.0)


def relu6(
    x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """Rectified linear unit capped at 6 (Howard et al. 2017, MobileNets); codes as of `relu`."""
    with located():
        op = Relu6(**own_codes(scale, zero))
    return apply(op, x, name=name)
