"""add: y = act(a + b), elementwise; b may be one number per channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array
from netgen.ops.activation import activate, activated_moment
from netgen.ops.broadcast import Broadcast, in_order


@dataclass(frozen=True)
class Add(Broadcast):
    """Sum of a f32[1,H,W,C] and b, of the same type or f32[1,1,1,C]."""

    operator_name: ClassVar[str] = "add"

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Add elementwise, with NumPy's broadcasting of b."""
        return activate(self.act, operands[0] + operands[1])

    def second_moment(self, operands: Sequence[float]) -> float:
        """Add mean squares, as for independent values."""
        return activated_moment(self.act, sum(operands))


def add(a: Tensor, b: Tensor, *, name: str | None = None) -> Tensor:
    """Sum of two tensors of one shape, or of an image and one number per channel; `a + b`."""
    return apply(Add(), *in_order(a, b), name=name)
