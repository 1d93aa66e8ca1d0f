"""Elementwise operators of two operands: the second may be one number per channel."""

from __future__ import annotations

from netgen.dsl.tensor import Tensor
from netgen.errors import GraphError
from netgen.ir.tensor_type import TensorType


def per_channel(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of one number per channel beside a value of `shape`: (1, 1, 1, C) beside an image."""
    return (*(1 for _ in shape[1:]), shape[-1]) if shape else ()


def check_second(a: TensorType, b: TensorType) -> None:
    """Raise GraphError unless b is shaped as a, or holds one number per channel of a."""
    if b.shape not in {a.shape, per_channel(a.shape)}:
        raise GraphError(
            "the second operand has the wrong shape",
            expected=f"{list(a.shape)} or {list(per_channel(a.shape))}",
            found=str(list(b.shape)),
        )


def in_order(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Put the operands of a commutative operator in the order that its type rule has."""
    spread = isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape != b.shape
    return (b, a) if spread and a.shape == per_channel(b.shape) else (a, b)
