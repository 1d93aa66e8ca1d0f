"""resize_nearest: y[i, j] = x[near(i), near(j)], each pixel that of the nearest place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.dsl.tensor import Tensor, apply, located
from netgen.ir.operator import ANY_ELEMENT, Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.resize import Resize, scale_of_axis
from netgen.ops.window import pair


@dataclass(frozen=True)
class ResizeNearest(Resize):
    """Pixels of x [1,H,W,C] repeated or left out.

    Output n is that of floor(n * scale), with `half_pixel` of floor((n + 1/2) * scale), with
    `align_corners` of n * scale rounded, halves up; in float32. Source: TensorFlow Lite,
    `reference/resize_nearest_neighbor.h`, GetNearestNeighbor.
    """

    operator_name: ClassVar[str] = "resize_nearest"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True

    def places(self, x: TensorType, axis: int) -> Array:
        """The row, or column, that each output is."""
        extent, outputs = x.shape[1 + axis], self.size[axis]
        offset = np.float32(0.5 if self.coordinates == "half_pixel" else 0.0)
        at = (np.arange(outputs, dtype=np.float32) + offset) * scale_of_axis(self, extent, outputs)
        # Halves are exact in float64, where they can be added to any float32 so near to 0.
        half = 0.5 if self.coordinates == "align_corners" else 0.0
        return np.minimum(np.floor(at.astype(np.float64) + half).astype(np.int64), extent - 1)

    def reads(self, x: TensorType, axis: int) -> tuple[Array, Array]:
        """The one place that an output is."""
        places = self.places(x, axis)
        return places, places

    def is_identity(self, operands: Sequence[TensorType], result: TensorType) -> bool:
        """Whether the size stays."""
        return operands[0].shape == result.shape

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """Index with the places of both axes."""
        (x,) = signature.operands
        rows, columns = self.places(x, 0), self.places(x, 1)
        return operands[0][:, rows[:, None], columns]


def resize_nearest(
    x: Tensor,
    size: int | tuple[int, int],
    coordinates: str = "asymmetric",
    *,
    name: str | None = None,
) -> Tensor:
    """X with `size` (rows, columns), each pixel that of the nearest place.

    coordinates: asymmetric, half_pixel or align_corners, as ONNX names them.
    """
    with located():
        op = ResizeNearest(pair(size, "size"), coordinates)
    return apply(op, x, name=name)
