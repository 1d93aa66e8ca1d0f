"""Whether an output may lie over an operand of its own step: by simulation of the reads.

Nothing here knows how the planner chose a distance. For every element that a band of the output
overwrites, the simulation asks which outputs of the band still read that element afterwards.
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
from netgen.plan.order import Band

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


def band_fault(
    op: Operator,
    letter: str,
    operands: Mapping[str, TensorType],
    read: Indices,
    written: Indices,
    band: Band,
) -> str | None:
    """What goes wrong if a band's result stands where it stands, or None.

    `read` are the places, in one memory, of the rows of operand `letter` that the band reaches,
    `written` those of its result: [rows, pixels of a row, channels]. Steps write rows in ascending
    order, within a row channels in any order, and for each channel columns in ascending order, each
    read before it is written.
    """
    low, high = read.min(initial=0), read.max(initial=-1)
    if not ((written >= low) & (written <= high)).any() or not np.isin(written, read).any():
        return None
    if letter in _SAME_PLACE.get(type(op), frozenset()):
        if read.shape == written.shape and (read == written).all():
            return None
        return "an elementwise output must stand exactly where the operand does"
    if isinstance(op, DepthwiseConv2d) and letter == "x":
        return _depthwise_fault(op, operands, read, written, band)
    return f"{op.operator_name} gives no order in which it could overwrite {letter}"


def _depthwise_fault(
    op: DepthwiseConv2d,
    operands: Mapping[str, TensorType],
    read: Indices,
    written: Indices,
    band: Band,
) -> str | None:
    """A channel is read and written by itself: only the last reader of each place matters."""
    if read.shape[2] != written.shape[2]:
        return "a channel multiplier above 1 overwrites channels that are still to be read"
    window = op.window(operands["w"].shape)
    _, height, width, _ = operands["x"].shape
    readers = last_readers(window, (height, width), band, written.shape[1])
    begin = max(0, min(height, band.first * window.stride[0] - window.pad[0]))
    seen = readers.reshape(height, width)[begin : begin + read.shape[0]]
    spread = int(max(read.max(), written.max())) + 1
    last, owner = np.full(spread, -1, np.int64), np.full(spread, -1, np.int64)
    last[read] = seen[:, :, None]
    owner[read] = np.arange(read.shape[2])
    outputs = np.arange(written.shape[0] * written.shape[1]).reshape(written.shape[:2])
    # Where a channel lies over another one, which may be computed later in the same row, the whole
    # row counts as still to be read.
    same = owner[written] == np.arange(written.shape[2])
    limit = np.where(same, outputs[:, :, None], (outputs[:, :1] - 1)[:, :, None])
    late = np.argwhere(last[written] > limit)
    if not len(late):
        return None
    i, j, c = late[0].tolist()
    reader = int(last[written[i, j, c]])
    return f"output pixel {int(outputs[i, j])} overwrites what output pixel {reader} still reads"


def last_readers(window: Window, size: tuple[int, int], band: Band, columns: int) -> Indices:
    """For each pixel of an image of `size` the last pixel of a band that reads it, -1 for none."""
    last = np.full(size[0] * size[1], -1, np.int64)
    rows = np.arange(band.first, band.end)
    i, j = np.meshgrid(rows, np.arange(columns), indexing="ij")
    for r in range(window.size[0]):
        for s in range(window.size[1]):
            row = i * window.stride[0] - window.pad[0] + r * window.dilation[0]
            column = j * window.stride[1] - window.pad[2] + s * window.dilation[1]
            inside = (row >= 0) & (row < size[0]) & (column >= 0) & (column < size[1])
            pixels = (row * size[1] + column)[inside]
            np.maximum.at(last, pixels, ((i - band.first) * columns + j)[inside])
    return last
