"""mul: y = act(a b), elementwise; b may be one number per channel (squeeze-and-excite)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array
from netgen.ops.activation import activate, activated_moment
from netgen.ops.broadcast import Broadcast, in_order


@dataclass(frozen=True)
class Mul(Broadcast):
    """Product of a f32[1,H,W,C] and b, of the same type or f32[1,1,1,C]."""

    operator_name: ClassVar[str] = "mul"

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """numpy.multiply, whose broadcasting is that of b."""
        return activate(self.act, np.multiply(*operands))

    def second_moment(self, operands: Sequence[float]) -> float:
        """Multiply mean squares, as for independent values."""
        return activated_moment(self.act, prod(operands))


def mul(a: Tensor, b: Tensor, *, name: str | None = None) -> Tensor:
    """Product of two tensors of one shape, or of an image and one number per channel; `a * b`."""
    return apply(Mul(), *in_order(a, b), name=name)
