"""normalize: bytes of an image as floats, y = x scale[c] + shift[c]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.errors import GraphError
from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.window import check_shape


@dataclass(frozen=True)
class Normalize(Operator):
    """Floats f32[..., C] of pixels u8[..., C], which are mere numbers of 0 to 255.

    Operands: x, scale f32[C] and shift f32[C]. What `Normalisation` says, (x / 255 - mean) / std,
    is a scale of 1 / (255 std) and a shift of -mean / std.
    """

    operator_name: ClassVar[str] = "normalize"
    operand_names: ClassVar[tuple[str, ...]] = ("x", "scale", "shift")
    element_types: ClassVar[frozenset[str]] = frozenset({"u8", "f32"})
    statistics: ClassVar[frozenset[str]] = frozenset({"scale", "shift"})
    same_place: ClassVar[frozenset[str]] = frozenset({"x"})

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32 of the shape of x; raises GraphError where x are floats or codes."""
        x, *numbers = operands
        if x.dtype != "u8" or x.quantisation is not None:
            raise GraphError(
                "only pixels are normalised", expected="x as u8[1,4,4,3], no codes", found=str(x)
            )
        for found, what in zip(numbers, self.operand_names[1:], strict=True):
            check_shape(found, x.shape[-1:], what)
            if not found.element.is_float:
                raise GraphError(f"{what} must be f32", found=str(found))
        return TensorType("f32", x.shape)

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """The formula as it stands."""
        x, scale, shift = operands
        result: Array = x.astype(float) * scale + shift
        return result

    def second_moment(self, operands: Sequence[float]) -> float:
        """The mean square that normalisations are for: 1."""
        del operands
        return 1.0
