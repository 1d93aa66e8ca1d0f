"""resize_bilinear: y[i, j] lies between four pixels of x, each weighted by how near it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.resize import Resize, scale_of_axis
from netgen.ops.window import pair

# Bits behind the point of places between pixels, for codes with a sign.
BITS = 10
_ONE = 1 << BITS


@dataclass(frozen=True)
class Lines:
    """Outputs along an axis: the places before and behind it, the weight of the latter."""

    before: Array
    behind: Array
    weights: Array


@dataclass(frozen=True)
class ResizeBilinear(Resize):
    """Means of four neighbours of x [1,H,W,C], by the distances from rows and columns.

    Places are numbers of float32, and so are means of uint8, to which 1/2 is added before they are
    truncated. Places of other codes have 10 bits behind the point; sums are integers, rounded,
    halves away from zero. Codes of the result are as those of x. Source: TensorFlow Lite,
    `reference/resize_bilinear.h`, ResizeBilinear and ResizeBilinearInteger.
    """

    operator_name: ClassVar[str] = "resize_bilinear"
    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8", "i16"})
    keeps_range: ClassVar[bool] = True

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """[1, *size, C]; raises GraphError where places of 10 bits leave the image."""
        result = super().infer(operands)
        x = operands[0]
        for axis in (0, 1):
            if self.lines(x, axis).before[-1] >= x.shape[1 + axis]:
                raise GraphError(
                    "an enlargement whose places of 10 bits leave the image",
                    found=f"{x.shape[1 + axis]} to {self.size[axis]}",
                )
        return result

    def lines(self, x: TensorType, axis: int) -> Lines:
        """Places and weights: of codes with a sign in units of 2 ** -10."""
        if x.dtype in {"f32", "u8"}:
            return self._real_lines(x.shape[1 + axis], self.size[axis])
        return self._whole_lines(x.shape[1 + axis], self.size[axis])

    def _real_lines(self, extent: int, outputs: int) -> Lines:
        scale, half = scale_of_axis(self, extent, outputs), np.float32(0.5)
        at = np.arange(outputs, dtype=np.float32)
        at = (at + half) * scale - half if self.coordinates == "half_pixel" else at * scale
        before = np.maximum(np.floor(at).astype(np.int64), 0)
        behind = np.minimum(np.ceil(at).astype(np.int64), extent - 1)
        return Lines(before, behind, at - before.astype(np.float32))

    def _whole_lines(self, extent: int, outputs: int) -> Lines:
        scale = self.scale_in_bits(extent, outputs)
        at = np.arange(outputs) * scale
        if self.coordinates == "half_pixel":
            at += scale // 2 - _ONE // 2
        # Quotients are truncated: below 0 the place before is 0 in any case.
        before = np.maximum(at // _ONE, 0)
        behind = np.minimum(np.maximum((at + _ONE - 1) // _ONE, 0), extent - 1)
        return Lines(before, behind, at - before * _ONE)

    def scale_in_bits(self, extent: int, outputs: int) -> int:
        """Inputs over outputs along an axis in units of 2 ** -10, rounded."""
        if self.coordinates == "align_corners" and outputs > 1:
            extent, outputs = extent - 1, outputs - 1
        return (_ONE * extent + outputs // 2) // outputs

    def reads(self, x: TensorType, axis: int) -> tuple[Array, Array]:
        """The places before and behind."""
        lines = self.lines(x, axis)
        return lines.before, lines.behind

    def is_identity(self, operands: Sequence[TensorType], result: TensorType) -> bool:
        """Whether the size stays."""
        return operands[0].shape == result.shape

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """Four products each, in the order in which they are added."""
        (kind,), x = signature.operands, operands[0]
        rows, columns = self.lines(kind, 0), self.lines(kind, 1)
        number = np.float32 if kind.dtype == "u8" else x.dtype.type
        one = number(1 if kind.dtype in {"f32", "u8"} else _ONE)
        down = rows.weights.astype(number)[:, None, None]
        right = columns.weights.astype(number)[:, None]
        total = np.zeros((), number)
        for across, v in ((columns.before, one - right), (columns.behind, right)):
            for along, h in ((rows.before, one - down), (rows.behind, down)):
                total = total + x[:, along[:, None], across].astype(number) * h * v
        if kind.element.is_float:
            return total
        if kind.dtype == "u8":
            return np.floor(total + np.float32(0.5)).astype(np.int64)
        half = 1 << 2 * BITS - 1
        return np.asarray(np.sign(total) * ((np.abs(total) + half) >> 2 * BITS))

    def second_moment(self, operands: Sequence[float]) -> float:
        """Assume rectified, independent values: about half of their variance is left."""
        return operands[0] * 0.66


def resize_bilinear(
    x: Tensor,
    size: int | tuple[int, int],
    coordinates: str = "half_pixel",
    *,
    name: str | None = None,
) -> Tensor:
    """X with `size` (rows, columns), each pixel between its four neighbours.

    coordinates: asymmetric, half_pixel or align_corners, as ONNX names them.
    """
    with located():
        op = ResizeBilinear(pair(size, "size"), coordinates)
    return apply(op, x, name=name)
