"""Places of y over x: pixel by pixel, and with output rows computed in pairs.

A pair shares the input rows that both read. Both outputs of a column are computed before either is
written, and are written before the next column is read. In the place of x the lower row would then
overwrite the end of a row that the upper one still reads: the outputs of its first `late` columns
wait until the pair is done.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from netgen.kernels.layer import Layer
from netgen.kernels.stretches import in_place
from netgen.kernels.targets import Target
from netgen.ops.window import Window


def distance_in_place(layer: Layer, window: Window) -> int:
    """The pixels that y must start before x if pixels are computed one after the other."""
    return _distance(window, layer.operands["x"].shape[1:3], layer.result.shape[1:3])


@lru_cache(maxsize=1024)
def _distance(window: Window, size: tuple[int, ...], result: tuple[int, ...]) -> int:
    (_, width), (rows, columns) = size, result
    distance = 0
    for i in range(rows):
        row = i * window.stride[0] - window.pad[0]
        first_row = max(row, 0) * width
        # The earliest input that an output after (i, j) reads: in this row, or in the next.
        below = max(row + window.stride[0], 0) * width
        for j in range(columns):
            column = max((j + 1) * window.stride[1] - window.pad[2], 0)
            needed = min(first_row + column, below) if j + 1 < columns else below
            distance = max(distance, i * columns + j - needed + 1)
    return distance


def late_columns(layer: Layer, window: Window, target: Target) -> int | None:
    """The number of a lower row's columns that are late; None if no number of them is enough.

    It is enough for the least distance, and for any up to it rounded up to the target's alignment.
    """
    if not in_place(layer, "x"):
        return 0
    least = distance_in_place(layer, window)
    pixel = layer.result.element.bytes * layer.layout("y").pitch
    aligned = math.lcm(target.alignment, pixel)
    most = -(-least * pixel // aligned) * aligned // pixel
    size, result = layer.operands["x"].shape[1:3], layer.result.shape[1:3]
    late = [_late(window, size, result, pixels) for pixels in range(least, most + 1)]
    return None if None in late else max(n for n in late if n is not None)


@lru_cache(maxsize=1024)
def _late(
    window: Window, size: tuple[int, ...], result: tuple[int, ...], distance: int
) -> int | None:
    """The number of late columns for y exactly `distance` pixels before x, or None."""
    (height, width), (rows, columns) = size, result
    i = np.arange(0, rows - 1, 2)[:, None]
    j = np.arange(columns)
    top = i * window.stride[0] - window.pad[0]
    # The rows that the pair reads, those that later ones read, and the columns that later ones do.
    begin, end = np.maximum(top, 0), np.minimum(top + window.stride[0] + window.size[0], height)
    below = np.where(i + 2 < rows, np.maximum(top + 2 * window.stride[0], 0), height)
    right = np.where(j + 1 < columns, (j + 1) * window.stride[1] - window.pad[2], width)
    late = 0
    for lower in (False, True):
        at = (i + lower) * columns + j - distance
        dead = (at < below * width) | (at >= height * width)
        soon = (at >= begin * width) & (at < end * width) & (at % width >= right)
        if not dead.all() or (soon.any() and not lower):
            return None
        late = max(np.flatnonzero(soon.any(axis=0)).tolist(), default=-1) + 1
    return late
