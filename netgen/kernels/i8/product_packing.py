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
from netgen.kernels.i8.requantisation import ROWS, pack_requantisation, requantisation_of
from netgen.kernels.i8.sums import bias_of, words_of
from netgen.kernels.layer import Layer, Packed
from netgen.kernels.products import visited, visiting_orders
from netgen.kernels.targets import Tiling
from netgen.kernels.tiles import Tile


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
    (w,), (b,) = visited(layer, 1, {**constants, "b": bias_of(constants)})
    w = w.reshape(len(w), -1).astype(np.int64) - layer.operands["w"].zero
    lanes, width = lanes_in_all(shape, tiling), tiling.vector_widths[0]
    biases = np.zeros(lanes, np.int64)
    biases[: len(w)] = b.astype(np.int64) - code_offset(layer, shape) * w.sum(
        axis=1, dtype=np.int64
    )
    blocks = pack_requantisation(
        requantisation_of(layer, constants), [*_channels(layer, lanes, width)]
    )
    weights = _pack_weights(w, shape, tile, tiling)
    return np.concatenate(
        # With zero points a bias may wrap; so do the sums that begin there.
        [biases.astype(np.uint32).view(np.int32), np.concatenate(blocks).ravel(), words_of(weights)]
    )


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
    first = np.clip(w, -128, 127)
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
