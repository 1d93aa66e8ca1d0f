"""Packed constants of products of codes.

int32 words first: a bias for each lane of all vectors of outputs, then for each vector the rows by
which its sums become codes. Then each panel says in which order it takes groups of inputs, and
where these begin (`product_groups`). Behind them stand the weights, bytes, panel after panel: for
each group or pair the weights of the panel's outputs one by one, those of one output side by side.

On targets that load several groups at once all panels take all groups as they stand. Groups of
eight are multiplied in pairs, whose products are added up as int16. That is too little for two
products of -128 and -128; so before the weights stands a word, 0 if some pair has two such weights.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.i8.product_groups import ENDS, MOST, Groups, group_places, order_groups
from netgen.kernels.i8.product_pairing import BLOCK, paired_order
from netgen.kernels.i8.product_shape import Shape
from netgen.kernels.i8.requantisation import ROWS, pack_requantisation, requantisation_of
from netgen.kernels.i8.sums import Words, bias_of, words_of
from netgen.kernels.layer import Layer, Packed
from netgen.kernels.products import visited, visiting_orders
from netgen.kernels.tiles import Tile
from netgen.kernels.tiling import Tiling

# Inputs of a group that is multiplied together with the next one.
PAIRED = 8


def code_offset(layer: Layer, tiling: Tiling) -> int:
    """The zero point of x as instructions take it: bytes are counted from the lowest code.

    Signed ones are counted from the middle.
    """
    x = layer.operands["x"]
    if tiling.signed_codes:
        return x.zero - x.element.low - 128
    return x.zero - x.element.low


def packed_words(shape: Shape, tile: Tile, tiling: Tiling) -> int:
    """The int32 words of all constants."""
    lanes = lanes_in_all(shape, tiling)
    before = lanes * (1 + ROWS) + words_of_pairs(shape)
    orders = panel_count(shape, tile, tiling) * order_words(shape, tiling)
    return before + orders + lanes * shape.depth // 4


def order_words(shape: Shape, tiling: Tiling) -> int:
    """The words of a panel's order, those of its inputs included."""
    if tiling.lanes_of_inputs:
        return 0
    return places_of_order(shape, tiling) + (shape.inputs // 4 if shape.arranged else 0)


def places_of_order(shape: Shape, tiling: Tiling) -> int:
    """The words of where kinds end, and at most a place for each group or pair."""
    return ENDS + shape.depth // (2 if tiling.saturates else shape.group)


def panel_count(shape: Shape, tile: Tile, tiling: Tiling) -> int:
    """The number of panels."""
    return len(_panels(shape, tile, tiling))


def _panels(shape: Shape, tile: Tile, tiling: Tiling) -> list[tuple[int, int]]:
    """The first lane of each panel, and that of the next one."""
    lanes, width = lanes_in_all(shape, tiling), tile.vectors * tiling.vector_widths[0]
    return [(first, min(first + width, lanes)) for first in range(0, lanes, width)]


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
    numbers, w = pack_numbers(layer, shape, tiling, constants, code_offset(layer, tiling))
    groups = _groups_of_weights(w, shape, tiling)
    if tiling.lanes_of_inputs:
        orders, weights = np.zeros(0, np.int32), _pack_weights(groups, shape, tile, tiling)
    else:
        orders, weights = _pack_ordered(groups, shape, tile, tiling)
    pairs = np.full(words_of_pairs(shape), _pairs_fit(weights, shape, tile, tiling), np.int32)
    return np.concatenate([numbers, pairs, orders, words_of(weights)])


def pack_numbers(
    layer: Layer, shape: Shape, tiling: Tiling, constants: Mapping[str, Packed], offset: int
) -> tuple[Words, Array]:
    """Biases and rows of constants, for a zero point of x at `offset`; weights as visited.

    Weights [outputs, taps and inputs] are less their zero point.
    """
    (w,), (b,) = visited(layer, 1, {**constants, "b": bias_of(constants)})
    w = w.reshape(len(w), -1).astype(np.int64) - layer.operands["w"].zero
    lanes, width = lanes_in_all(shape, tiling), tiling.vector_widths[0]
    biases = np.zeros(lanes, np.int64)
    biases[: len(w)] = b.astype(np.int64) - offset * w.sum(axis=1, dtype=np.int64)
    blocks = pack_requantisation(
        requantisation_of(layer, constants), [*_channels(layer, lanes, width)]
    )
    # With zero points a bias may wrap; so do the sums that begin there.
    wrapped = biases.astype(np.uint32).view(np.int32)
    return np.concatenate([wrapped, np.concatenate(blocks).ravel()]), w


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


def _groups_of_weights(w: Array, shape: Shape, tiling: Tiling) -> Array:
    """Groups of w [outputs, taps and inputs]; lanes and inputs that do not exist are zero."""
    passes = shape.passes
    runs = shape.depth // shape.run // passes
    first = np.clip(w, -128 if passes == 1 else -127, 127)
    halves = np.stack([first, w - first][:passes], axis=1)
    padded = np.zeros((lanes_in_all(shape, tiling), passes * runs, shape.run), np.int8)
    padded[: len(w), :, : shape.run_inputs] = halves.reshape(len(w), -1, shape.run_inputs)
    return padded.reshape(len(padded), -1, shape.group)


def _pack_weights(groups: Array, shape: Shape, tile: Tile, tiling: Tiling) -> Packed:
    """All groups of each panel as they stand."""
    panels = [
        np.ascontiguousarray(groups[first:end].transpose(1, 0, 2)).ravel()
        for first, end in _panels(shape, tile, tiling)
    ]
    return np.concatenate(panels)


def _pack_ordered(groups: Array, shape: Shape, tile: Tile, tiling: Tiling) -> tuple[Words, Packed]:
    """The panels' orders of groups, and their weights in that order; places left over are zero."""
    places = group_places(shape)
    pairs = (places[:, None] + [0, 1]).ravel()
    orders, weights = [], []
    for first, end in _panels(shape, tile, tiling):
        own, arranged = groups[first:end], np.zeros(0, np.int32)
        if shape.arranged:
            own, arranged = _arranged(own, shape)
        found = order_groups(own, saturates=tiling.saturates)
        words = np.zeros(order_words(shape, tiling), np.int32)
        words[len(words) - len(arranged) :] = arranged
        words[:ENDS] = found.ends
        taken = places[[*found.order]], pairs[[*found.pairs]]
        words[ENDS : ENDS + found.ends[-1]] = np.concatenate(taken)
        orders.append(words)
        packed = np.zeros((end - first) * shape.depth, np.int8)
        bytes_of = _taken(own, found)
        packed[: bytes_of.size] = bytes_of
        weights.append(packed)
    return np.concatenate(orders), np.concatenate(weights)


def _arranged(groups: Array, shape: Shape) -> tuple[Array, Words]:
    """The weights of a panel with its inputs in their order, and the words of that."""
    inputs = groups.reshape(-1, shape.inputs)
    order = paired_order(inputs, MOST)
    places = np.arange(shape.inputs) // BLOCK * BLOCK + order
    return inputs[:, places].reshape(groups.shape), words_of(order.view(np.int8))


def _taken(groups: Array, found: Groups) -> Array:
    """The weights of a panel in its order."""
    pairs = groups.reshape(len(groups), -1, 2, 2).swapaxes(2, 3).reshape(len(groups), -1, 2)
    parts = groups[:, [*found.order]], pairs[:, [*found.pairs]]
    return np.concatenate([part.transpose(1, 0, 2).ravel() for part in parts])


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
