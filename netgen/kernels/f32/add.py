"""Elementwise sum of two values: y = act(a + b)."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.f32.binary import BinaryKernel, ConstantBinaryKernel
from netgen.ops.add import Add


class AddF32(BinaryKernel):
    """Both operands are activations."""

    name: ClassVar[str] = "add_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Add,)
    numeric_form: ClassVar[str] = "elementwise"


class AddConstantF32(ConstantBinaryKernel):
    """The second operand is a constant."""

    name: ClassVar[str] = "add_constant_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Add,)
    numeric_form: ClassVar[str] = "elementwise"
