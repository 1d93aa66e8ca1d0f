"""relu_n1_to_1: y = min(max(x, -1), 1), elementwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, exp, pi, sqrt
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.magnitude import Range, Spread
from netgen.ops.clamp import Clamp
from netgen.ops.rescaled import own_codes


@dataclass(frozen=True)
class ReluN1To1(Clamp):
    """A line between -1 and 1, as TensorFlow Lite names it (hardtanh elsewhere)."""

    operator_name: ClassVar[str] = "relu_n1_to_1"
    # By integration, to three digits, where x has the mean square 1.
    squares: ClassVar[tuple[float, float]] = (0.0, 0.516)
    limits: ClassVar[Range] = (-1.0, 1.0)
    unchanged: ClassVar[Range | None] = (-1.0, 1.0)

    def spread(self, operands: Sequence[Spread]) -> Spread:
        """Mean square of a centred normal value, exactly; the shares of both signs stay."""
        square = operands[0].square
        if square == 0.0:
            return operands[0]
        bend = 1.0 / sqrt(2.0 * square)
        within = square * erf(bend) - sqrt(2.0 * square / pi) * exp(-bend * bend)
        return Spread(within + 1.0 - erf(bend), operands[0].above)


def relu_n1_to_1(
    x: Tensor, scale: float | None = None, zero: int = 0, *, name: str | None = None
) -> Tensor:
    """A line between -1 and 1 (hardtanh); codes as of `relu`."""
    with located():
        op = ReluN1To1(**own_codes(scale, zero))
    return apply(op, x, name=name)
