"""Reads packed products back: panels in their order of groups, and which inputs those multiply."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netgen.ir.tensor_type import Array
from netgen.kernels.i8.product_groups import ENDS
from netgen.kernels.i8.product_packing import (
    lanes_in_all,
    order_words,
    panel_count,
    places_of_order,
    words_of_pairs,
)
from netgen.kernels.i8.product_pairing import BLOCK
from netgen.kernels.i8.product_shape import Shape
from netgen.kernels.i8.requantisation import ROWS
from netgen.kernels.layer import Layer, Packed
from netgen.kernels.panels import Panel, Terms
from netgen.kernels.products import visiting_orders
from netgen.kernels.tiles import Tile
from netgen.kernels.tiling import Tiling

_Places = npt.NDArray[np.int64]


def packed_panels(
    layer: Layer, shape: Shape, tile: Tile, tiling: Tiling, packed: Packed
) -> list[Panel]:
    """All panels of packed words; none on targets that take all groups as they stand."""
    if tiling.lanes_of_inputs:
        return []
    lanes, width = lanes_in_all(shape, tiling), tile.vectors * tiling.vector_widths[0]
    first = lanes * (1 + ROWS) + words_of_pairs(shape)
    count, words = panel_count(shape, tile, tiling), order_words(shape, tiling)
    orders = packed[first : first + count * words].reshape(count, words).astype(np.int64)
    codes = np.ascontiguousarray(packed[first + count * words :]).view(np.int8)
    (outputs,) = visiting_orders(layer.layout("y"), 1)
    channels = np.full(lanes, -1, np.int64)
    channels[: len(outputs)] = outputs
    panels = []
    for n, order in enumerate(orders):
        arranged = _arranged(shape, order[places_of_order(shape, tiling) :])
        own = channels[n * width : (n + 1) * width]
        weights = codes[n * width * shape.depth :][: len(own) * shape.depth]
        panels.append(Panel(own, _terms(layer, shape, order, weights, len(own), arranged)))
    return panels


def _terms(
    layer: Layer,
    shape: Shape,
    order: _Places,
    codes: npt.NDArray[np.int8],
    lanes: int,
    arranged: _Places,
) -> tuple[Terms, ...]:
    """The sums of a panel: groups in twos and single ones, in int16 if there are pairs; pairs."""
    doubled, singles, pairs = order[:ENDS].tolist()
    places = order[ENDS : ENDS + pairs]
    found = []
    at = 0
    for end, groups, few in ((doubled, 2, shape.group), (singles, 1, shape.group), (pairs, 1, 2)):
        taken, places = np.split(places, [end - at])
        own, codes = np.split(codes, [len(taken) * lanes * few])
        at = end
        # Pairs are of every second code, groups of neighbours.
        reach = np.arange(few) * (shape.group // few)
        inputs = _inputs_at(layer, shape, taken, reach, arranged).reshape(-1, groups, few // 2, 2)
        weights = own.reshape(-1, groups, lanes, few // 2, 2).astype(np.int64)
        sums = len(inputs) * few // 2
        found.append(
            Terms(
                inputs.transpose(0, 2, 1, 3).reshape(sums, 2 * groups),
                weights.transpose(2, 0, 3, 1, 4).reshape(lanes, sums, 2 * groups),
                narrow=shape.saturates and few > 2,
            )
        )
    return tuple(found)


def _arranged(shape: Shape, words: _Places) -> _Places:
    """The place in a pixel of x of each copied input."""
    places = np.arange(shape.inputs)
    if not shape.arranged:
        return places
    within = np.ascontiguousarray(words.astype("<i4")).view(np.uint8)[: shape.inputs]
    found: _Places = places // BLOCK * BLOCK + within
    return found


def _inputs_at(
    layer: Layer, shape: Shape, places: _Places, reach: _Places, arranged: _Places
) -> Array:
    """[places, reach]: the position in an output's weights of each code so far on; -1: none."""
    (channels,) = visiting_orders(layer.layout("x"), 1)
    rows, columns = shape.window.size
    row, rest = np.divmod(places, shape.window.dilation[0] * shape.row_step)
    tap, inner = np.zeros_like(rest), rest
    if shape.taps > 1:
        tap, inner = np.divmod(rest, shape.window.dilation[1] * shape.inputs)
    within = inner[:, None] + reach
    column = tap[:, None] + within // shape.inputs
    positions = (row[:, None] * columns + column) * shape.inputs + channels[
        arranged[within % shape.inputs]
    ]
    return np.where((within < shape.run_inputs) & (row[:, None] < rows), positions, -1)
