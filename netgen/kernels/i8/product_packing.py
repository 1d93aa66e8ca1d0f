"""Packed constants of products of codes.

int32 words first: a bias for each lane of all vectors of outputs, then for each vector the rows by
which its sums become codes. Behind them stand the weights, bytes, panel after panel: for each group
of inputs the weights of the panel's outputs one by one, those of one group side by side.

Groups of eight are multiplied in pairs, whose products are added up as int16. That is too little
for two products of -128 and -128; so before the weights stands a word, 0 if some pair has two such
weights.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.i8.product_shape import Shape
from netgen.kernels.i8.requantisation import ROWS, pack_requantisation, requantisation_of
from netgen.kernels.i8.sums import bias_of, words_of
from netgen.kernels.layer import Layer, Packed
from netgen.kernels.products import visited, visiting_orders
from netgen.kernels.tiles import Tile
from netgen.kernels.tiling import Tiling

# Inputs of a group that is multiplied together with the next one.
PAIRED = 8


def code_offset(layer: Layer, shape: Shape, tiling: Tiling) -> int:
    """The zero point of x as instructions take it: bytes are counted from the lowest code.

    Signed ones are counted from the middle.
    """
    x = layer.operands["x"]
    if tiling.signed_codes:
        return x.zero - x.element.low - 128
    return x.zero - x.element.low if shape.group == 4 else x.zero


def packed_words(shape: Shape, tiling: Tiling) -> int:
    """The int32 words of all constants."""
    lanes = lanes_in_all(shape, tiling)
    return lanes * (1 + ROWS) + words_of_pairs(shape) + lanes * shape.depth // 4


def words_of_pairs(shape: Shape) -> int:
    """Words that say whether sums of pairs of products fit int16: the first one does."""
    return 4 if shape.group == PAIRED else 0


def lanes_in_all(shape: Shape, tiling: Tiling) -> int:
    """The lanes of all vectors of outputs."""
    width = tiling.vector_widths[0]
    return -(-shape.outputs // width) * width


def pack_product(
    layer: Layer, shape: Shape, tile: Tile, tiling: Tiling, constants: Mapping[str, Packed]
) -> Packed:
    """Biases, rows of constants, weights, as one array of int32."""
    (w,), (b,) = visited(layer, 1, {**constants, "b": bias_of(constants)})
    w = w.reshape(len(w), -1).astype(np.int64) - layer.operands["w"].zero
    lanes, width = lanes_in_all(shape, tiling), tiling.vector_widths[0]
    biases = np.zeros(lanes, np.int64)
    biases[: len(w)] = b.astype(np.int64) - code_offset(layer, shape, tiling) * w.sum(
        axis=1, dtype=np.int64
    )
    blocks = pack_requantisation(
        requantisation_of(layer, constants), [*_channels(layer, lanes, width)]
    )
    weights = _pack_weights(w, shape, tile, tiling)
    pairs = np.full(words_of_pairs(shape), _pairs_fit(weights, shape, tile, tiling), np.int32)
    # With zero points a bias may wrap; so do the sums that begin there.
    wrapped = biases.astype(np.uint32).view(np.int32)
    return np.concatenate([wrapped, np.concatenate(blocks).ravel(), pairs, words_of(weights)])


def _channels(layer: Layer, lanes: int, width: int) -> Array:
    """The channel of each lane of all vectors, -1 for none."""
    (order,) = visiting_orders(layer.layout("y"), 1)
    channels = np.full(lanes, -1, np.int64)
    channels[: len(order)] = order
    return channels.reshape(-1, width)


def code_rows(
    layer: Layer, shape: Shape, tiling: Tiling, packed: Packed
) -> list[tuple[Array, Packed]]:
    """The channels of each vector, and the rows by which its sums become codes."""
    lanes, width = lanes_in_all(shape, tiling), tiling.vector_widths[0]
    rows = packed[lanes : lanes * (1 + ROWS)].reshape(-1, ROWS, width)
    return [*zip(_channels(layer, lanes, width), rows, strict=True)]


def _pack_weights(w: Array, shape: Shape, tile: Tile, tiling: Tiling) -> Packed:
    """W [outputs, taps and inputs] as panels; lanes and inputs that do not exist are zero."""
    width, group, passes = tiling.vector_widths[0], shape.group, shape.passes
    lanes = lanes_in_all(shape, tiling)
    runs = shape.depth // shape.run // passes
    first = np.clip(w, -128 if passes == 1 else -127, 127)
    halves = np.stack([first, w - first][:passes], axis=1)
    padded = np.zeros((lanes, passes * runs, shape.run), np.int8)
    padded[: len(w), :, : shape.run_inputs] = halves.reshape(len(w), -1, shape.run_inputs)
    groups = padded.reshape(lanes, -1, group)
    panel = tile.vectors * width
    panels = [
        np.ascontiguousarray(groups[first : first + panel].transpose(1, 0, 2)).ravel()
        for first in range(0, lanes, panel)
    ]
    return np.concatenate(panels)


def _pairs_fit(weights: Array, shape: Shape, tile: Tile, tiling: Tiling) -> bool:
    """Whether no two weights of -128 are multiplied as a pair, in packed panels."""
    if shape.group != PAIRED:
        return True
    groups, width = shape.run // shape.group, tiling.vector_widths[0]
    lanes = lanes_in_all(shape, tiling)
    at = 0
    for first in range(0, lanes, tile.vectors * width):
        count = min(tile.vectors * width, lanes - first)
        panel = weights[at : at + count * shape.depth].reshape(-1, groups, count * shape.group)
        pairs = panel[:, : groups // 2 * 2].reshape(-1, 2, count * shape.group)
        if (pairs == -128).all(axis=1).any():
            return False
        at += count * shape.depth
    return True
