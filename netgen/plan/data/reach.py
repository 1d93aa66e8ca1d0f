"""Which rows of an operand a row of the result needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import TensorType
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.pad import Pad
from netgen.ops.spatial_slice import SpatialSlice
from netgen.ops.window import Window
from netgen.plan.data.plan import is_image


@dataclass(frozen=True)
class Reach:
    """Row i of the result reads the rows from i * `stride` - `pad` on, `size` of them."""

    size: int = 1
    stride: int = 1
    pad: int = 0

    def end(self, rows: int, height: int) -> int:
        """How many rows of the operand, of `height`, the first `rows` rows of the result need."""
        return max(0, min(height, (rows - 1) * self.stride - self.pad + self.size))

    def begin(self, row: int, height: int) -> int:
        """The first row of the operand that row `row` of the result, or a later one, reads."""
        return max(0, min(height, row * self.stride - self.pad))


def row_reach(
    op: Operator, letter: str, operands: Mapping[str, TensorType], result: TensorType
) -> Reach | None:
    """The reach into one operand, by letter; None where every row needs all of it."""
    x = operands[letter]
    if not is_image(x.shape):
        return None
    match op:
        case Conv2d() | DepthwiseConv2d() if letter == "x":
            return _window_reach(op.window(operands["w"].shape))
        case MaxPool2d() | AvgPool2d():
            return _window_reach(op.window())
        case Pad():
            return Reach(pad=op.pad[0])
        case SpatialSlice():
            return Reach(stride=op.stride[0], pad=-op.first[0])
        case _:
            alike = isinstance(op, GlobalAvgPool) or x.shape[:3] == result.shape[:3]
            return Reach() if alike else None


def _window_reach(window: Window) -> Reach:
    size = (window.size[0] - 1) * window.dilation[0] + 1
    return Reach(size, window.stride[0], window.pad[0])
