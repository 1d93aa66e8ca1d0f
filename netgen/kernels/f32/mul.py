"""Elementwise product of two values: y = act(a b)."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.f32.binary import BinaryKernel, ConstantBinaryKernel
from netgen.ops.mul import Mul


class MulF32(BinaryKernel):
    """Both operands are activations."""

    name: ClassVar[str] = "mul_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Mul,)
    numeric_form: ClassVar[str] = "elementwise"


class MulConstantF32(ConstantBinaryKernel):
    """The second operand is a constant."""

    name: ClassVar[str] = "mul_constant_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Mul,)
    numeric_form: ClassVar[str] = "elementwise"
