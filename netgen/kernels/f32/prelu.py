"""Leaky rectified values with a slope for each element or channel: y = a >= 0 ? a : a b."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.f32.binary import BinaryKernel, ConstantBinaryKernel
from netgen.ops.prelu import Prelu


class PreluF32(BinaryKernel):
    """Both operands are activations."""

    name: ClassVar[str] = "prelu_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Prelu,)
    numeric_form: ClassVar[str] = "elementwise"


class PreluConstantF32(ConstantBinaryKernel):
    """The slopes are constants."""

    name: ClassVar[str] = "prelu_constant_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Prelu,)
    numeric_form: ClassVar[str] = "elementwise"
