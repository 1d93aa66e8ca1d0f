"""Shared parts of the kernels of codes of two operands: y = act(a op b), element by element.

One operand may be a constant, and one may have one number per channel. Constants are packed as
int32: what the C would compute of each code alone is computed when compiling.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, cast

import numpy as np

from netgen.ir.tensor_type import Array, hexadecimal
from netgen.kernels.i8.real_forms import RealForm, real_form
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer, Packed
from netgen.kernels.loops import ElementKernel
from netgen.kernels.stretches import describe_elements, in_place, order_of
from netgen.kernels.targets import Target
from netgen.ops.broadcast import Broadcast
from netgen.ops.fixed_point import Multiplier
from netgen.ops.rescaled import clamped_codes

BYTES: ElementsByLetter = {"": frozenset({"i8", "u8"})}
# Of sums and products.
WIDER: ElementsByLetter = {"": frozenset({"i8", "u8", "i16"})}
# Cycles of one rounded product.
RESCALING = 6.0


class BinaryI8(ElementKernel):
    """Any shape; plain loops, of which compilers make vectors where there are some of int64."""

    elements: ClassVar[ElementsByLetter] = BYTES
    weights_element: ClassVar[str] = "i32"
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"
    rounding: ClassVar[str] = "fixed"
    # Rounded products of an element.
    rescalings: ClassVar[int] = 1

    @abstractmethod
    def numbers(self, layer: Layer) -> dict[str, Json]:
        """The whole numbers of the formula, by the names that the template has for them."""

    @abstractmethod
    def alone(self, layer: Layer, letter: str, codes: Array) -> Array:
        """The numbers that the formula has of the codes of a constant operand."""

    def accepts(self, layer: Layer) -> bool:
        """Constants where they are packed, activations elsewhere."""
        op = layer.op
        return (
            isinstance(op, self.operators)
            and layer.constant == set(self.constants)
            and _op(layer).rounding == self.rounding
        )

    def title(self, layer: Layer) -> str:
        """Operator, element type, number of elements or pixels and channels, activation."""
        elements, channels = layer.result.elements, layer.result.shape[-1]
        shape = f"{elements // channels}x{channels}" if spread_letter(layer) else str(elements)
        constant = "_constant" if self.constants else ""
        end = "" if _op(layer).act == "none" else f"_{_op(layer).act}"
        return f"{layer.op.operator_name}{constant}_{layer.result.dtype}_{shape}{end}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements, or pixels and stretches; what has one number per channel; whole numbers."""
        del target
        op, y, spread = _op(layer), layer.result, spread_letter(layer)
        low, high = clamped_codes(op.act, y)
        placed = [letter for letter in ("a", "b", "y") if letter not in self.constants]
        return {
            "elements": y.elements,
            "channels": layer.layout("y").channels,
            **describe_elements(layer, placed),
            "spread": bool(spread),
            "spread_letter": spread,
            "act": op.act,
            **self.numbers(layer),
            "zero": y.zero,
            "low": low,
            "high": high,
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """Rounded products, of which constants take none."""
        del target
        return RESCALING * self.rescalings * layer.result.elements

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written; one number per channel is read again."""
        found: dict[str, int] = {}
        for letter in ("a", "b"):
            if letter not in self.constants and layer.operands[letter].shape == layer.result.shape:
                found |= in_place(layer, letter)
        return found

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """The constant operand, its channels in the order in which they are visited."""
        del target
        (letter,), order = self.constants, order_of(layer)
        codes = constants[letter].astype(np.int64).reshape(-1, len(order))[:, order].ravel()
        return self.alone(layer, letter, codes).astype(np.int32)

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """Four for each element of the constant operand."""
        del target
        return sum(4 * layer.operands[letter].elements for letter in self.constants)


class RealForms(BinaryI8):
    """The part of kernels that compute in float32 where all pairs of codes are proved right."""

    elements: ClassVar[ElementsByLetter] = BYTES

    def accepts(self, layer: Layer) -> bool:
        """Layers for which a form is found."""
        return super().accepts(layer) and _form(layer) is not None

    def runs_on(self, target: Target) -> bool:
        """Processors with vectors of floats, whose integers of 64 bits are slow."""
        return target.tiling("f32").vector_types

    def numbers(self, layer: Layer) -> dict[str, Json]:
        """Zero points, the operation, factors and the half as C has them."""
        form = _form(layer)
        assert form is not None
        return {
            "operation": "-" if layer.op.operator_name == "sub" else "+",
            "a_zero": layer.operands["a"].zero,
            "b_zero": layer.operands["b"].zero,
            "factors": [f"{hexadecimal(factor)}f" for factor in form.factors],
            "half": f"{hexadecimal(form.half)}f",
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """Several codes at once."""
        del target
        return 1.5 * layer.result.elements


def _form(layer: Layer) -> RealForm | None:
    a, b = (layer.operands[letter].with_shape(()) for letter in ("a", "b"))
    return real_form(_op(layer), a, b, layer.result.with_shape(()))


def _op(layer: Layer) -> Broadcast:
    return cast("Broadcast", layer.op)


def spread_letter(layer: Layer) -> str:
    """The operand that has one number per channel, where there is more than one pixel; or ""."""
    shape = layer.result.shape
    return "".join(letter for letter in ("a", "b") if layer.operands[letter].shape != shape)


def described(name: str, multiplier: Multiplier) -> dict[str, Json]:
    """A multiplier as templates have it: its mantissa, and how far it is shifted to the left."""
    return {f"{name}_multiplier": multiplier.mantissa, f"{name}_shift": multiplier.shift}
