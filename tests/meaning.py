"""The meaning of an operator for arrays of floats: its reference, asked with their types."""

from __future__ import annotations

from collections.abc import Sequence

from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


def meaning(op: Operator, operands: Sequence[Array]) -> Array:
    """The reference's result for operands of f32."""
    types = tuple(TensorType("f32", operand.shape) for operand in operands)
    return op.reference(operands, Signature(types, op.result_type(types)))
