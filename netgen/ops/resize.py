"""The parts that resize_nearest and resize_bilinear share: where pixels of the result lie in x."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd
from typing import ClassVar

import numpy as np

from netgen.errors import GraphError
from netgen.ir.attributes import ONE_FOR_ALL
from netgen.ir.operator import Operator
from netgen.ir.rows import Reach, reach_of
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.window import check_rank, pair

# Where output n of an axis lies: at n * scale; at (n + 1/2) * scale - 1/2, so that centres of
# pixels lie on one another; at n * (inputs - 1) / (outputs - 1), so that first and last do.
COORDINATES = ("asymmetric", "half_pixel", "align_corners")


@dataclass(frozen=True)
class Resize(Operator):
    """Base of the operators that give x f32[1,H,W,C] another `size` (rows, columns).

    `coordinates` are named as ONNX does; `align_corners` of one output are as `asymmetric`.
    """

    axis_letters: ClassVar[str] = "NHWC"
    size: tuple[int, int] = field(default=(1, 1), metadata=ONE_FOR_ALL)
    coordinates: str = "asymmetric"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "size", pair(self.size, "size"))
        if self.coordinates not in COORDINATES:
            raise GraphError(
                "unknown coordinates",
                expected=f"one of {', '.join(COORDINATES)}",
                found=self.coordinates,
            )

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1, *size, C]."""
        x = operands[0]
        check_rank(x, 4, "x")
        return x.with_shape((1, *self.size, x.shape[3]))

    @abstractmethod
    def reads(self, x: TensorType, axis: int) -> tuple[Array, Array]:
        """The first and the last place that each output reads along an axis: 0 rows, 1 columns."""

    def slope(self, extent: int, outputs: int) -> tuple[int, int]:
        """Inputs over outputs, along an axis of so many."""
        if self.coordinates == "align_corners" and min(extent, outputs) > 1:
            return extent - 1, outputs - 1
        return extent, outputs

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """The rows between which a row lies."""
        del letter
        x = operands["x"]
        inputs, outputs = self.slope(x.shape[1], result.shape[1])
        first, last = self.reads(x, 0)
        rows, common = [*zip(first.tolist(), last.tolist(), strict=True)], gcd(inputs, outputs)
        return reach_of(rows, inputs // common, outputs // common)


def scale_of_axis(op: Resize, extent: int, outputs: int) -> np.float32:
    """Inputs over outputs in float32, as TensorFlow Lite divides."""
    if op.coordinates == "align_corners" and outputs > 1:
        return np.float32(extent - 1) / np.float32(outputs - 1)
    return np.float32(extent) / np.float32(outputs)
