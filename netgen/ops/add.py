"""add: y = act(a + b), elementwise; b may be one number per channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.magnitude import Spread
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array
from netgen.ops.activation import activate, activated_moment
from netgen.ops.broadcast import Broadcast, in_order


@dataclass(frozen=True)
class Add(Broadcast):
    """Sum of a f32[1,H,W,C] and b, of the same type or f32[1,1,1,C]."""

    operator_name: ClassVar[str] = "add"
    adds_operands: ClassVar[bool] = True
    fate: ClassVar[str] = "residual additions, done by the convolution that ends their branch"

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Add elementwise, with NumPy's broadcasting of b."""
        return activate(self.act, operands[0] + operands[1])

    def share_above(self, operands: Sequence[Spread]) -> float:
        """The share of the sum of independent values.

        It is exact for two centred and for two rectified values. If a is rectified and b centred, a
        quarter of b's mean square is taken to end below zero. This is exact for a small b, and
        within 7 % of the sum if both are equal.
        """
        if len(operands) != 2:
            return super().share_above(operands)
        a, b = operands
        below = a.square * (1.0 - a.above) * (1.5 - b.above)
        below += b.square * (1.0 - b.above) * (1.5 - a.above)
        return 1.0 - below / (a.square + b.square)

    def second_moment(self, operands: Sequence[float]) -> float:
        """Add mean squares, as for independent values."""
        return activated_moment(self.act, sum(operands))


def add(a: Tensor, b: Tensor, *, name: str | None = None) -> Tensor:
    """Sum of two tensors of one shape, or of an image and one number per channel; `a + b`."""
    return apply(Add(), *in_order(a, b), name=name)
