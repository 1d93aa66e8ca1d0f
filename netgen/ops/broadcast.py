"""Elementwise operators of two operands, which are broadcast as NumPy does it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor
from netgen.errors import GraphError
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activate, activated_moment, find_activation
from netgen.ops.rescaled import Rescaled, clamped_codes, dequantised, quantised, saturated, scale_of

# Element types of sums and products: codes of 16 bits are around zero.
WIDER_CODES = frozenset({"f32", "i8", "u8", "i16"})


def per_channel(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of one number per channel beside a value of `shape`: (1, 1, 1, C) beside an image."""
    return (*(1 for _ in shape[1:]), shape[-1]) if shape else ()


def broadcast(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...] | None:
    """The shape to which shapes of one rank are broadcast; None where they do not fit."""
    if len({len(shape) for shape in shapes}) != 1:
        return None
    wide = tuple(max(extents) for extents in zip(*shapes, strict=True))
    fits = all(n in {1, most} for shape in shapes for n, most in zip(shape, wide, strict=True))
    return wide if fits else None


@dataclass(frozen=True)
class Broadcast(Rescaled):
    """Base of the operators of a [1,H,W,C] and b, of that shape or [1,1,1,C].

    Where they do not `commute` a may be [1,1,1,C] instead. Floats of one rank may have any shapes
    that broadcast to one. Codes of both are of one element type, each with a scale of its own.
    """

    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8"})
    same_place: ClassVar[frozenset[str]] = frozenset({"a", "b"})
    # Whether a and b may be exchanged, and which of them may be one number per channel.
    commutes: ClassVar[bool] = True
    spread_letters: ClassVar[frozenset[str]] = frozenset({"b"})
    act: str = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        find_activation(self.act)

    @abstractmethod
    def combine(self, a: Array, b: Array) -> Array:
        """NumPy meaning without the activation, in float64."""

    @abstractmethod
    def codes(self, a: Array, b: Array, kinds: Sequence[TensorType], result: TensorType) -> Array:
        """The codes of the result before they are clamped, in int64.

        Raises GraphError where scales are too far apart.
        """

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The elements of a, under the larger shape; codes with the scale of the result."""
        a, b = operands
        shape = self._shape(a, b)
        if a.dtype != b.dtype:
            raise GraphError(
                f"{self.operator_name} takes operands of one element type",
                expected=a.dtype,
                found=str(b),
            )
        result = self.result_of(a, shape)
        if a.dtype == "i16" and (a.zero or b.zero or result.zero or self.rounding != "fixed"):
            raise GraphError(
                "codes of 16 bits are around zero, and rounded as TensorFlow Lite does",
                found=f"{a}, {b}, {result}, rounding={self.rounding}",
            )
        if not a.element.is_float:
            scale_of(b)
            clamped_codes(self.act, result)
            if self.rounding == "even":
                return result
            zeros = result.element.working.type(a.zero), result.element.working.type(b.zero)
            self.codes(*zeros, operands, result)
        return result

    def _shape(self, a: TensorType, b: TensorType) -> tuple[int, ...]:
        """The shape of the result; raises GraphError where the operands do not fit."""
        if b.shape in {a.shape, per_channel(a.shape)}:
            return a.shape
        if "a" in self.spread_letters and a.shape == per_channel(b.shape):
            return b.shape
        if a.element.is_float and (shape := broadcast([a.shape, b.shape])) is not None:
            return shape
        raise GraphError(
            "the second operand has the wrong shape",
            expected=f"{list(a.shape)} or {list(per_channel(a.shape))}",
            found=str(list(b.shape)),
        )

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """Elementwise, with NumPy's broadcasting; codes saturate, or as the activation says."""
        a, b = operands
        if signature.result.element.is_float:
            return activate(self.act, self.combine(a, b))
        if self.rounding == "even":
            return saturated(self._even(a, b, signature), self.act, signature.result)
        codes = self.codes(a, b, signature.operands, signature.result)
        return saturated(codes, self.act, signature.result)

    def _even(self, a: Array, b: Array, signature: Signature) -> Array:
        """The codes of what float32 makes of the real numbers of both."""
        kinds = signature.operands
        real = [dequantised(codes, kind) for codes, kind in zip((a, b), kinds, strict=True)]
        return quantised(self.combine(*real), signature.result)


@dataclass(frozen=True)
class FloatBroadcast(Broadcast):
    """Base of those that take floats only."""

    element_types: ClassVar[frozenset[str]] = frozenset({"f32"})

    def codes(self, a: Array, b: Array, kinds: Sequence[TensorType], result: TensorType) -> Array:
        """Raise GraphError: there are none."""
        del a, b, kinds, result
        raise GraphError(f"{self.operator_name} takes no codes")

    def second_moment(self, operands: Sequence[float]) -> float:
        """Something of the size of the first operand: no seeded weights follow these closely."""
        return activated_moment(self.act, operands[0])


def in_order(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Put the operands of a commutative operator in the order that its type rule has."""
    spread = isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape != b.shape
    return (b, a) if spread and a.shape == per_channel(b.shape) else (a, b)
