"""Elementwise difference of two values: y = act(a - b)."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.f32.binary import BinaryKernel, ConstantBinaryKernel
from netgen.ops.sub import Sub


class SubF32(BinaryKernel):
    """Both operands are activations."""

    name: ClassVar[str] = "sub_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Sub,)
    numeric_form: ClassVar[str] = "elementwise"


class SubConstantF32(ConstantBinaryKernel):
    """The second operand is a constant."""

    name: ClassVar[str] = "sub_constant_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Sub,)
    numeric_form: ClassVar[str] = "elementwise"


class ConstantDifferenceF32(ConstantBinaryKernel):
    """The first operand is a constant."""

    name: ClassVar[str] = "constant_difference_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Sub,)
    numeric_form: ClassVar[str] = "elementwise"
    constants: ClassVar[tuple[str, ...]] = ("a",)
