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
from netgen.kernels.layer import Layer, Packed
from netgen.kernels.products import visited, visiting_orders
from netgen.kernels.targets import Tiling
from netgen.kernels.tiles import Tile
from netgen.ops.weighted import Weighted

# Rows of int32 for each vector, beside the biases: a form, a mantissa, a shift.
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
    (w,), (b,) = visited(layer, 1, {"w": constants["w"], **_bias(constants)})
    w = w.reshape(len(w), -1)
    lanes, width = lanes_in_all(shape, tiling), tiling.vector_widths[0]
    biases = np.zeros(lanes, np.int64)
    biases[: len(w)] = b - code_offset(layer, shape) * w.sum(axis=1, dtype=np.int64)
    (order,) = visiting_orders(layer.layout("y"), 1)
    rows = np.zeros((ROWS, lanes), np.int32)
    rows[1:, : len(w)] = _multipliers(layer, constants)[:, order]
    blocks = rows.reshape(ROWS, -1, width).transpose(1, 0, 2)
    weights = _pack_weights(w.astype(np.int8), shape, tile, tiling)
    return np.concatenate(
        # Sums wrap as those of processors do, should a bias be so large.
        [biases.astype(np.uint32).view(np.int32), blocks.ravel(), weights.view("<i4")]
    )


def _bias(constants: Mapping[str, Packed]) -> Mapping[str, Packed]:
    """The bias in int64: `visited` makes one of the weights' type where there is none."""
    b = constants.get("b", np.zeros(len(constants["w"]), np.int64))
    return {"b": b.astype(np.int64)}


def _multipliers(layer: Layer, constants: Mapping[str, Packed]) -> Array:
    """[2, outputs]: mantissas and shifts; one scale of weights is for all outputs."""
    op, w = layer.op, layer.operands["w"]
    assert isinstance(op, Weighted)
    assert w.quantisation is not None
    own = w.quantisation.scale
    scales = {} if isinstance(own, float) else {own: constants["w.scale"]}
    found = op.multipliers(layer.operands["x"], w, layer.result, scales)
    both = np.stack([found.mantissa, found.shift])
    return np.broadcast_to(both, (2, w.shape[0]))


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
