"""Packed constants of products of codes.

int32 words first: a bias for each lane of all vectors of outputs, then for each vector the rows by
which its sums become codes. Behind them stand the weights, bytes, panel after panel: for each group
of inputs the weights of the panel's outputs one by one, those of one group side by side.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.i8.product_shape import Shape
from netgen.kernels.i8.sums import bias_of, checked_sums, rescaling_words, words_of
from netgen.kernels.layer import Layer, Packed
from netgen.kernels.products import visited, visiting_orders
from netgen.kernels.targets import Tiling
from netgen.kernels.tiles import Tile

# Rows of int32 for each vector, beside the biases: a form, and two words that rescale its sums.
ROWS = 3


def code_offset(layer: Layer, shape: Shape) -> int:
    """What instructions take for the zero point of x: bytes are counted from the lowest code."""
    x = layer.operands["x"]
    return x.zero - x.element.low if shape.group == 4 else x.zero


def packed_words(shape: Shape, tiling: Tiling) -> int:
    """The int32 words of all constants."""
    lanes = lanes_in_all(shape, tiling)
    return lanes * (1 + ROWS) + lanes * shape.depth // 4


def lanes_in_all(shape: Shape, tiling: Tiling) -> int:
    """The lanes of all vectors of outputs."""
    width = tiling.vector_widths[0]
    return -(-shape.outputs // width) * width


def pack_product(
    layer: Layer, shape: Shape, tile: Tile, tiling: Tiling, constants: Mapping[str, Packed]
) -> Packed:
    """Biases, rows of constants, weights, as one array of int32."""
    checked_sums(layer, constants)
    (w,), (b,) = visited(layer, 1, {**constants, "b": bias_of(constants)})
    w = w.reshape(len(w), -1)
    lanes, width = lanes_in_all(shape, tiling), tiling.vector_widths[0]
    biases = np.zeros(lanes, np.int64)
    biases[: len(w)] = b.astype(np.int64) - code_offset(layer, shape) * w.sum(
        axis=1, dtype=np.int64
    )
    (order,) = visiting_orders(layer.layout("y"), 1)
    rows = np.zeros((ROWS, lanes), np.int32)
    rows[1:, : len(w)] = rescaling_words(layer, constants)[order].T
    blocks = rows.reshape(ROWS, -1, width).transpose(1, 0, 2)
    weights = _pack_weights(w.astype(np.int8), shape, tile, tiling)
    return np.concatenate(
        # With zero points a bias may wrap; so do the sums that begin there.
        [biases.astype(np.uint32).view(np.int32), blocks.ravel(), words_of(weights)]
    )


def _pack_weights(w: Array, shape: Shape, tile: Tile, tiling: Tiling) -> Packed:
    """W [outputs, taps and inputs] as panels; lanes and inputs that do not exist are zero."""
    width, group = tiling.vector_widths[0], shape.group
    lanes = lanes_in_all(shape, tiling)
    runs = shape.depth // shape.run
    padded = np.zeros((lanes, runs, shape.run), np.int8)
    padded[: len(w), :, : shape.run_inputs] = w.reshape(len(w), runs, shape.run_inputs)
    groups = padded.reshape(lanes, -1, group)
    panel = tile.vectors * width
    panels = [
        np.ascontiguousarray(groups[first : first + panel].transpose(1, 0, 2)).ravel()
        for first in range(0, lanes, panel)
    ]
    return np.concatenate(panels)
