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
from netgen.kernels.pixel_order import PIXEL_BY_PIXEL, PixelOrder
from netgen.ops.assign import Assign
from netgen.ops.window import Sliding, Window, slides_by_channel
from netgen.plan.data.execution_order import Band

Indices = npt.NDArray[np.int64]


def band_fault(
    op: Operator,
    letter: str,
    operands: Mapping[str, TensorType],
    read: Indices,
    written: Indices,
    band: Band,
    order: PixelOrder = PIXEL_BY_PIXEL,
) -> str | None:
    """The fault of a band whose result stands over what it reads, or None.

    `read` are the places, in one memory, of the rows of operand `letter` that the band reaches,
    `written` those of its result: [rows, pixels of a row, channels]. Steps write rows in ascending
    order, as many at once as `order` says, within those channels in any order, and for each channel
    columns in ascending order, each read before it is written.
    """
    low, high = read.min(initial=0), read.max(initial=-1)
    if not ((written >= low) & (written <= high)).any() or not np.isin(written, read).any():
        return None
    if letter in op.same_place:
        same = read.shape == written.shape and (read == written).all()
        return None if same else "an elementwise output must stand exactly where the operand does"
    if isinstance(op, Assign):
        # One block is moved as memmove does.
        block = all((np.diff(places.ravel()) == 1).all() for places in (read, written))
        return None if block else "elements that do not follow each other are moved one by one"
    if letter == "x" and slides_by_channel(op):
        return _sliding_fault(op, operands, (read, written), band, order)
    return f"{op.operator_name} gives no order in which it could overwrite {letter}"


def _sliding_fault(
    op: Sliding,
    operands: Mapping[str, TensorType],
    places: tuple[Indices, Indices],
    band: Band,
    order: PixelOrder,
) -> str | None:
    """A channel is read and written by itself: only the last reader of each place matters."""
    read, written = places
    if read.shape[2] != written.shape[2]:
        return "a channel multiplier above 1 overwrites channels that are still to be read"
    window = op.window(operands["w"].shape)
    _, height, width, _ = operands["x"].shape
    rows, columns, channels = written.shape
    readers = last_readers(window, (height, width), band, columns, order)
    begin = max(0, min(height, band.first * window.stride[0] - window.pad[0]))
    seen = readers.reshape(height, width)[begin : begin + read.shape[0]]
    spread = int(max(read.max(), written.max())) + 1
    last, owner = np.full(spread, -1, np.int64), np.full(spread, -1, np.int64)
    last[read] = seen[:, :, None]
    owner[read] = np.arange(channels)
    i, j = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    row = i // order.rows * columns
    time = row + np.where((i % order.rows > 0) & (j < order.late), columns - 1, j)
    # Where a channel lies over another one, which may be computed later in the same rows, all of
    # these count as still to be read.
    same = owner[written] == np.arange(channels)
    late = np.argwhere(last[written] > np.where(same, time[:, :, None], row[:, :, None] - 1))
    if not len(late):
        return None
    i0, j0, c0 = late[0].tolist()
    reader = divmod(int(last[written[i0, j0, c0]]), columns)
    pixel = reader[0] * order.rows * columns + reader[1]
    below = ", or the one below it," if order.rows > 1 else ""
    return (
        f"output pixel {i0 * columns + j0} overwrites what output pixel {pixel}{below} still reads"
    )


def last_readers(
    window: Window,
    size: tuple[int, int],
    band: Band,
    columns: int,
    order: PixelOrder = PIXEL_BY_PIXEL,
) -> Indices:
    """The time of a band's last read of each pixel of an image of `size`, -1 for never.

    Time counts outputs in their order. Outputs of one column that are computed at once are one.
    """
    last = np.full(size[0] * size[1], -1, np.int64)
    rows = np.arange(band.first, band.end)
    i, j = np.meshgrid(rows, np.arange(columns), indexing="ij")
    time = (i - band.first) // order.rows * columns + j
    for r in range(window.size[0]):
        for s in range(window.size[1]):
            row = i * window.stride[0] - window.pad[0] + r * window.dilation[0]
            column = j * window.stride[1] - window.pad[2] + s * window.dilation[1]
            inside = (row >= 0) & (row < size[0]) & (column >= 0) & (column < size[1])
            pixels = (row * size[1] + column)[inside]
            np.maximum.at(last, pixels, time[inside])
    return last
