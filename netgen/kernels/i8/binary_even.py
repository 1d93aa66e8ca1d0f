"""Sums, differences and products of codes as ONNX has them: by real numbers of float32.

y = the code of (a's scale * (a - a's zero)) op (b's scale * (b - b's zero)), each step rounded to
float32, halves of the quotient by y's scale to even. A compiler may fuse a product with a sum.
Where one of the 65,536 pairs of codes tells a fused sum from one that is not, products are computed
in float64, which holds them exactly, and rounded.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, TensorType, hexadecimal
from netgen.kernels.i8.binary import BinaryI8
from netgen.kernels.i8.real_forms import fused_product
from netgen.kernels.layer import Json, Layer
from netgen.ops.add import Add
from netgen.ops.broadcast import Broadcast
from netgen.ops.mul import Mul
from netgen.ops.rescaled import clamped_codes, quantised, scale_of
from netgen.ops.sub import Sub

_OPERATIONS = {"add": "+", "sub": "-", "mul": "*"}


class BinaryEvenI8(BinaryI8):
    """Both operands are activations."""

    name: ClassVar[str] = "binary_even_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Add, Sub, Mul)
    numeric_form: ClassVar[str] = "floats-of-codes"
    rounding: ClassVar[str] = "even"

    def numbers(self, layer: Layer) -> dict[str, Json]:
        """Zero points of operands that are no constants, scales, bounds less the zero point."""
        op, y = layer.op, layer.result
        assert isinstance(op, Broadcast)
        a, b = (layer.operands[letter].with_shape(()) for letter in ("a", "b"))
        low, high = clamped_codes(op.act, y)
        zeros: dict[str, Json] = {
            f"{letter}_zero": layer.operands[letter].zero
            for letter in ("a", "b")
            if letter not in self.constants
        }
        return {
            **zeros,
            "operation": _OPERATIONS[op.operator_name],
            "scales": [f"{hexadecimal(scale_of(kind))}f" for kind in (a, b, y)],
            "in_float64": not isinstance(op, Mul) and not _fuses(op, a, b, y.with_shape(())),
            "least": f"{low - y.zero}.0f",
            "most": f"{high - y.zero}.0f",
        }

    def alone(self, layer: Layer, letter: str, codes: Array) -> Array:
        """Codes less their zero point."""
        less: Array = codes - layer.operands[letter].zero
        return less


class BinaryConstantEvenI8(BinaryEvenI8):
    """The second operand is a constant."""

    name: ClassVar[str] = "binary_constant_even_i8"
    constants: ClassVar[tuple[str, ...]] = ("b",)


class ConstantDifferenceEvenI8(BinaryEvenI8):
    """The first operand is a constant."""

    name: ClassVar[str] = "constant_difference_even_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Sub,)
    constants: ClassVar[tuple[str, ...]] = ("a",)


@lru_cache(maxsize=4096)
def _fuses(op: Broadcast, a: TensorType, b: TensorType, y: TensorType) -> bool:
    """Whether fused sums of products give the codes of the definition, for all pairs of codes."""
    kinds = a.with_shape((256, 1)), b.with_shape((1, 256))
    codes = [np.arange(kind.element.low, kind.element.high + 1) for kind in kinds]
    pairs = [codes[0].reshape(256, 1), codes[1].reshape(1, 256)]
    signature = Signature(kinds, y.with_shape((256, 256)))
    wanted = op.reference(pairs, signature)
    sign = np.float32(-1.0 if isinstance(op, Sub) else 1.0)
    factors = np.float32(scale_of(a)), sign * np.float32(scale_of(b))
    first, second = (array - kind.zero for array, kind in zip(pairs, kinds, strict=True))
    none = np.zeros((256, 256), np.float32)
    alone = [
        none + array.astype(np.float32) * factor
        for array, factor in zip((first, second), factors, strict=True)
    ]
    bounds = clamped_codes(op.act, y)
    return all(
        np.array_equal(np.clip(quantised(sums, signature.result), *bounds), wanted)
        for sums in (
            fused_product(first, factors[0], alone[1]),
            fused_product(second, factors[1], alone[0]),
        )
    )
