"""Packed constants of Winograd's convolution of codes, and why it is exact.

F(4x4, 3x3) over the points 0, 1, -1, 1/2, -2 and infinity, in whole numbers: y = At ((G w Gt) *
(Bt x B)) A is 900 times the sum of products. 900 is 4 times 225, and 225 has an inverse modulo
2^32. So sums that wrap, times that inverse, are 4 times the sum modulo 2^32, and a shift by 2 gives
the sum itself if it is below 2^29. Of two points that are equal modulo 2 the difference has a
factor 2: these points leave one for each dimension, where 0, 1, -1, 2, -2 leave three.

Codes count from -128 to 127, and so do weights less their zero point. Rows of Bt have absolute sums
of at most 14, those of G of at most 15: so transforms of both fit int16, and whatever the weights
are, 3640 inputs have sums below 2^29. Constants are int32 words, as `product_packing` has them:
biases, rows of constants, then the weights of a panel, point after point, as pairs of int16: for
each two inputs those of all lanes, side by side.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.i8.product_packing import lanes_in_all, pack_numbers
from netgen.kernels.i8.product_shape import Shape
from netgen.kernels.i8.requantisation import ROWS
from netgen.kernels.i8.sums import words_of
from netgen.kernels.layer import Layer, Packed
from netgen.kernels.panels import Transforms
from netgen.kernels.products import visiting_orders
from netgen.kernels.tiling import Tiling

OUTPUTS = 4
REACH = 6
POINTS = REACH**2
# 9 inputs * 128 * 128 is less than 2^29.
MOST_INPUTS = 3640

G = ((15, 0, 0), (5, 5, 5), (5, -5, 5), (4, 2, 1), (1, -2, 4), (0, 0, 15))


def packed_bytes(shape: Shape, tiling: Tiling) -> int:
    """Bytes of all constants."""
    lanes = lanes_in_all(shape, tiling)
    return 4 * lanes * (1 + ROWS + POINTS * pairs_of_inputs(shape))


def pairs_of_inputs(shape: Shape) -> int:
    """Pairs of inputs; the last one may have one input only."""
    return -(-shape.inputs // 2)


def pack_winograd(
    layer: Layer, shape: Shape, vectors: int, tiling: Tiling, constants: Mapping[str, Packed]
) -> Packed:
    """Biases, rows of constants, transformed weights in panels of so many vectors."""
    x = layer.operands["x"]
    numbers, w = pack_numbers(layer, shape, tiling, constants, x.zero - x.element.low - 128)
    lanes, width = lanes_in_all(shape, tiling), vectors * tiling.vector_widths[0]
    points = np.zeros((lanes, POINTS, 2 * pairs_of_inputs(shape)), np.int64)
    points[: len(w), :, : shape.inputs] = _transformed(w.reshape(len(w), 3, 3, -1))
    pairs = points.astype("<i2").reshape(lanes, POINTS, -1, 2)
    panels = [
        np.ascontiguousarray(pairs[first : first + width].transpose(1, 2, 0, 3)).ravel()
        for first in range(0, lanes, width)
    ]
    return np.concatenate([numbers, words_of(np.concatenate(panels))])


def unpack_winograd(
    layer: Layer, shape: Shape, vectors: int, tiling: Tiling, packed: Packed
) -> list[Transforms]:
    """The transformed weights of each panel, as packed words hold them."""
    lanes, width = lanes_in_all(shape, tiling), vectors * tiling.vector_widths[0]
    count, pairs = POINTS * pairs_of_inputs(shape), pairs_of_inputs(shape)
    words = packed[lanes * (1 + ROWS) :].astype("<i4").view("<i2").astype(np.int64)
    channels, inputs = np.full(lanes, -1), np.full(2 * pairs, -1)
    (channels[: shape.outputs],) = visiting_orders(layer.layout("y"), 1)
    (inputs[: shape.inputs],) = visiting_orders(layer.layout("x"), 1)
    found = []
    for first in range(0, lanes, width):
        own = channels[first : first + width]
        panel = words[2 * first * count :][: 2 * len(own) * count]
        points = panel.reshape(POINTS, pairs, len(own), 2).transpose(2, 0, 1, 3)
        found.append(Transforms(own, inputs, points.reshape(len(own), POINTS, -1)))
    return found


def _transformed(w: Array) -> Array:
    """G w Gt of weights [outputs, 3, 3, inputs] in whole numbers, [outputs, points, inputs]."""
    rows = [_combined(row, [w[:, r] for r in range(3)]) for row in G]
    points = [_combined(row, [taps[:, s] for s in range(3)]) for taps in rows for row in G]
    return np.stack(points, axis=1)


def _combined(row: tuple[int, int, int], taps: list[Array]) -> Array:
    combined: Array = row[0] * taps[0] + row[1] * taps[1] + row[2] * taps[2]
    return combined
