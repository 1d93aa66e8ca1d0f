"""Sums and differences of codes: y = act(a + b), act(a - b), both brought to one scale before."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array
from netgen.kernels.i8.binary import WIDER, BinaryI8, RealForms, described
from netgen.kernels.layer import ElementsByLetter, Json, Layer
from netgen.ops.add import Add
from netgen.ops.sub import Sub
from netgen.ops.sums_of_codes import SumMultipliers, left_shift, sum_multipliers


class SumI8(BinaryI8):
    """Both operands are activations."""

    name: ClassVar[str] = "sum_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Add, Sub)
    numeric_form: ClassVar[str] = "sum-of-codes"
    elements: ClassVar[ElementsByLetter] = WIDER
    rescalings: ClassVar[int] = 3

    def numbers(self, layer: Layer) -> dict[str, Json]:
        """Zero points, the shift of codes, multipliers of operands that are no constants."""
        multipliers = _multipliers(layer)
        found: dict[str, Json] = {
            "operation": "-" if isinstance(layer.op, Sub) else "+",
            "left_shift": left_shift(layer.result),
        }
        for letter, each in (("a", multipliers.a), ("b", multipliers.b)):
            if letter not in self.constants:
                found |= {f"{letter}_zero": layer.operands[letter].zero, **described(letter, each)}
        return {**found, **described("sum", multipliers.y)}

    def alone(self, layer: Layer, letter: str, codes: Array) -> Array:
        """Codes in the scale of the sum."""
        multipliers = _multipliers(layer)
        by = multipliers.a if letter == "a" else multipliers.b
        return by.times((codes - layer.operands[letter].zero) << left_shift(layer.result))


class SumRealI8(RealForms, SumI8):
    """Both operands are activations; float32, which compilers make vectors of, gives the codes."""

    name: ClassVar[str] = "sum_real_i8"


class SumConstantI8(SumI8):
    """The second operand is a constant."""

    name: ClassVar[str] = "sum_constant_i8"
    constants: ClassVar[tuple[str, ...]] = ("b",)
    rescalings: ClassVar[int] = 2


class ConstantDifferenceI8(SumI8):
    """The first operand is a constant."""

    name: ClassVar[str] = "constant_difference_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Sub,)
    constants: ClassVar[tuple[str, ...]] = ("a",)
    rescalings: ClassVar[int] = 2


def _multipliers(layer: Layer) -> SumMultipliers:
    return sum_multipliers([layer.operands["a"], layer.operands["b"]], layer.result)
