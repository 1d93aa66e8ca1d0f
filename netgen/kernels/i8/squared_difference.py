"""Squared differences of codes: y = act((a - b)^2), both brought to one scale before."""

from __future__ import annotations

from typing import ClassVar, cast

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array
from netgen.kernels.i8.binary import BinaryI8, described
from netgen.kernels.layer import Json, Layer
from netgen.ops.squared_difference import SQUARE_SHIFT, SquaredDifference
from netgen.ops.sums_of_codes import SumMultipliers


class SquaredDifferenceI8(BinaryI8):
    """Both operands are activations."""

    name: ClassVar[str] = "squared_difference_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (SquaredDifference,)
    numeric_form: ClassVar[str] = "squared-difference-of-codes"
    rescalings: ClassVar[int] = 3

    def numbers(self, layer: Layer) -> dict[str, Json]:
        """Zero points, the shift of codes, multipliers of operands that are no constants."""
        by = _multipliers(layer)
        found: dict[str, Json] = {"left_shift": SQUARE_SHIFT}
        for letter, each in (("a", by.a), ("b", by.b)):
            if letter not in self.constants:
                found |= {f"{letter}_zero": layer.operands[letter].zero, **described(letter, each)}
        return {**found, **described("square", by.y)}

    def alone(self, layer: Layer, letter: str, codes: Array) -> Array:
        """Codes in the scale of the difference."""
        by = _multipliers(layer)
        each = by.a if letter == "a" else by.b
        return each.times((codes - layer.operands[letter].zero) << SQUARE_SHIFT)


class SquaredDifferenceConstantI8(SquaredDifferenceI8):
    """The second operand is a constant."""

    name: ClassVar[str] = "squared_difference_constant_i8"
    constants: ClassVar[tuple[str, ...]] = ("b",)
    rescalings: ClassVar[int] = 2


def _multipliers(layer: Layer) -> SumMultipliers:
    op = cast("SquaredDifference", layer.op)
    return op.multipliers([layer.operands["a"], layer.operands["b"]], layer.result)
