"""Whether an output may lie over an operand of its own step: by simulation of the reads.

Nothing here knows how the planner chose a distance. For every element that the output overwrites,
the simulation asks which outputs still read that element afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import TensorType
from netgen.ops.add import Add
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.hard_sigmoid import HardSigmoid
from netgen.ops.hard_swish import HardSwish
from netgen.ops.identity import Identity
from netgen.ops.mul import Mul
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.ops.sigmoid import Sigmoid
from netgen.ops.window import Window

Indices = npt.NDArray[np.int64]

# Operators that read an element of these operands only for the output at the same place.
_SAME_PLACE: dict[type[Operator], frozenset[str]] = {
    Add: frozenset({"a", "b"}),
    BatchNorm: frozenset({"x"}),
    Conv2d: frozenset({"residual"}),
    HardSigmoid: frozenset({"x"}),
    HardSwish: frozenset({"x"}),
    Identity: frozenset({"x"}),
    Mul: frozenset({"a", "b"}),
    Relu: frozenset({"x"}),
    Relu6: frozenset({"x"}),
    Sigmoid: frozenset({"x"}),
}


def overwrite_fault(
    op: Operator,
    letter: str,
    operands: Mapping[str, TensorType],
    result: TensorType,
    distance: int,
) -> str | None:
    """What goes wrong if the output starts `distance` bytes before operand `letter`, or None.

    Both are dense NHWC f32. Steps write rows in ascending order, within a row channels in any
    order, and for each channel columns in ascending order, each read before it is written.
    """
    if letter in _SAME_PLACE.get(type(op), frozenset()):
        if operands[letter] == result and distance == 0:
            return None
        return "an elementwise output must start exactly where the operand does"
    if isinstance(op, DepthwiseConv2d) and letter == "x":
        return _depthwise_fault(op, operands, result, distance)
    return f"{op.operator_name} gives no order in which it could overwrite {letter}"


def _depthwise_fault(
    op: DepthwiseConv2d, operands: Mapping[str, TensorType], result: TensorType, distance: int
) -> str | None:
    """A channel is read and written by itself: only the last reader of each pixel matters."""
    x, channels = operands["x"], result.shape[3]
    if x.shape[3] != channels:
        return "a channel multiplier above 1 overwrites channels that are still to be read"
    if distance % 4:
        return "the distance is no whole number of elements"
    _, height, width, _ = x.shape
    readers = last_readers(op.window(operands["w"].shape), (height, width), result)
    outputs = np.arange(result.shape[1] * result.shape[2])
    pixels, rest = divmod(distance // 4, channels)
    if rest == 0:
        return _fault(readers, outputs - pixels, outputs)
    # An output lies over two pixels, and over other channels than its own, which may be computed
    # later in the same row: the whole row counts as still to be read, up to its last output. The
    # earlier pixel is the later one of the output before, and judged there.
    before_row = outputs // result.shape[2] * result.shape[2] - 1
    return _fault(readers, outputs - pixels, before_row)


def _fault(readers: Indices, overwritten: Indices, latest: Indices) -> str | None:
    """Name an input pixel whose last reader comes after `latest`, where reads are surely done."""
    inside = (overwritten >= 0) & (overwritten < len(readers))
    late = np.flatnonzero(readers[overwritten[inside]] > latest[inside])
    if not len(late):
        return None
    output = int(np.flatnonzero(inside)[late[0]])
    pixel = int(overwritten[output])
    return f"output pixel {output} overwrites input pixel {pixel}, read by output {readers[pixel]}"


def last_readers(window: Window, size: tuple[int, int], result: TensorType) -> Indices:
    """For each pixel of an image of `size` the last output pixel that reads it, -1 for none."""
    last = np.full(size[0] * size[1], -1, np.int64)
    _, rows, columns, _ = result.shape
    i, j = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    for r in range(window.size[0]):
        for s in range(window.size[1]):
            row = i * window.stride[0] - window.pad[0] + r * window.dilation[0]
            column = j * window.stride[1] - window.pad[2] + s * window.dilation[1]
            inside = (row >= 0) & (row < size[0]) & (column >= 0) & (column < size[1])
            pixels = (row * size[1] + column)[inside]
            np.maximum.at(last, pixels, (i * columns + j)[inside])
    return last
