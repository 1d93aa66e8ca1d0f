"""Elementwise operators of two operands: the second may be one number per channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor
from netgen.errors import GraphError
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import TensorType
from netgen.ops.activation import find_activation


def per_channel(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of one number per channel beside a value of `shape`: (1, 1, 1, C) beside an image."""
    return (*(1 for _ in shape[1:]), shape[-1]) if shape else ()


@dataclass(frozen=True)
class Broadcast(Operator):
    """Base of the commutative operators of a f32[1,H,W,C] and b, as a or f32[1,1,1,C]."""

    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")
    same_place: ClassVar[frozenset[str]] = frozenset({"a", "b"})
    act: str = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        find_activation(self.act)

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The type of a."""
        a, b = operands
        if b.shape not in {a.shape, per_channel(a.shape)}:
            raise GraphError(
                "the second operand has the wrong shape",
                expected=f"{list(a.shape)} or {list(per_channel(a.shape))}",
                found=str(list(b.shape)),
            )
        return a


def in_order(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Put the operands of a commutative operator in the order that its type rule has."""
    spread = isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape != b.shape
    return (b, a) if spread and a.shape == per_channel(b.shape) else (a, b)
