"""linear: y[o] = act(b[o] + sum over c of x[c] w[o,c])."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply, parameter, value_name
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activated_moment
from netgen.ops.weighted import Weighted, centred
from netgen.ops.window import check_rank, check_shape


@dataclass(frozen=True)
class Linear(Weighted):
    """Fully connected layer. Operands: x f32[1,C], w f32[O,C], b f32[O]; result f32[1,O].

    Or codes, as `Weighted` has them.
    """

    operator_name: ClassVar[str] = "linear"
    operand_names: ClassVar[tuple[str, ...]] = ("x", "w", "b")
    optional_operands: ClassVar[int] = 1
    axis_letters: ClassVar[str] = "NC"
    act: str = "none"

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1,O]."""
        x, w, *rest = operands
        check_rank(x, 2, "x")
        check_rank(w, 2, "w")
        check_shape(w, (w.shape[0], x.shape[1]), "w")
        if rest:
            check_shape(rest[0], (w.shape[0],), "b")
        return self.weighted(operands, (1, w.shape[0]))

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """One matrix product."""
        x, w = map(centred, operands[:2], signature.operands[:2])
        y = x @ w.T
        return self.finished(y + operands[2] if len(operands) > 2 else y, signature)

    def macs(self, operands: Sequence[TensorType], result: TensorType) -> int:
        """One per weight."""
        del result
        return operands[1].elements

    def keeps_channels(self, letter: str) -> bool:
        """No: every output is a sum over all inputs."""
        del letter
        return False

    def second_moment(self, operands: Sequence[float]) -> float:
        """Weights are seeded for 1 before the activation."""
        del operands
        return activated_moment(self.act, 1.0)


def linear(x: Tensor, channels: int, *, bias: bool = True, name: str | None = None) -> Tensor:
    """Fully connected layer with its own parameters `w` and, unless off, `b`."""
    owner = value_name("linear", name)
    w = parameter(owner, "w", (channels, x.channels))
    b = parameter(owner, "b", (channels,)) if bias else None
    return apply(Linear(), x, w, b, name=name)
