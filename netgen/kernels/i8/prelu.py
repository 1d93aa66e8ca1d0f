"""Leaky rectified codes with a slope for each element or channel: y = a >= 0 ? a : a b."""

from __future__ import annotations

from typing import ClassVar, cast

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array
from netgen.kernels.i8.binary import BinaryI8, described
from netgen.kernels.layer import Json, Layer
from netgen.ops.prelu import Prelu


class PreluI8(BinaryI8):
    """Both operands are activations."""

    name: ClassVar[str] = "prelu_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Prelu,)
    numeric_form: ClassVar[str] = "product-of-codes"

    def numbers(self, layer: Layer) -> dict[str, Json]:
        """Zero points of operands that are no constants, the multipliers of a and of a b."""
        kinds = [layer.operands["a"], layer.operands["b"]]
        straight, leak = cast("Prelu", layer.op).multipliers(kinds, layer.result)
        zeros: dict[str, Json] = {
            f"{letter}_zero": layer.operands[letter].zero
            for letter in ("a", "b")
            if letter not in self.constants
        }
        return {**zeros, **described("straight", straight), **described("leak", leak)}

    def alone(self, layer: Layer, letter: str, codes: Array) -> Array:
        """Codes less their zero point."""
        less: Array = codes - layer.operands[letter].zero
        return less


class PreluConstantI8(PreluI8):
    """The slopes are constants."""

    name: ClassVar[str] = "prelu_constant_i8"
    constants: ClassVar[tuple[str, ...]] = ("b",)
