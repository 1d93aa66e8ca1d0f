"""Products of codes: y = act(a b)."""

from __future__ import annotations

from typing import ClassVar, cast

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array
from netgen.kernels.i8.binary import WIDER, BinaryI8, RealForms, described
from netgen.kernels.layer import ElementsByLetter, Json, Layer
from netgen.ops.mul import Mul


class MulI8(BinaryI8):
    """Both operands are activations."""

    name: ClassVar[str] = "mul_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Mul,)
    numeric_form: ClassVar[str] = "product-of-codes"
    elements: ClassVar[ElementsByLetter] = WIDER

    def numbers(self, layer: Layer) -> dict[str, Json]:
        """Zero points of operands that are no constants, the multiplier of products."""
        kinds = [layer.operands["a"], layer.operands["b"]]
        zeros: dict[str, Json] = {
            f"{letter}_zero": layer.operands[letter].zero
            for letter in ("a", "b")
            if letter not in self.constants
        }
        op = cast("Mul", layer.op)
        return {**zeros, **described("product", op.multiplier(kinds, layer.result))}

    def alone(self, layer: Layer, letter: str, codes: Array) -> Array:
        """Codes less their zero point."""
        less: Array = codes - layer.operands[letter].zero
        return less


class MulRealI8(RealForms, MulI8):
    """Both operands are activations; float32, which compilers make vectors of, gives the codes."""

    name: ClassVar[str] = "mul_real_i8"


class MulConstantI8(MulI8):
    """The second operand is a constant."""

    name: ClassVar[str] = "mul_constant_i8"
    constants: ClassVar[tuple[str, ...]] = ("b",)
