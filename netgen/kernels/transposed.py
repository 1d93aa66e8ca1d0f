"""Windows that pixels of x add to, as the templates of transposed convolutions need them.

A kernel computes an output from the pixels whose windows reach it. Outputs are computed some side
by side; weights are packed for such a block by (r, s, c, output of the block), inputs c in the
order of their places in x.
"""

from __future__ import annotations

import numpy as np

from netgen.kernels.geometry import describe_band, describe_extents
from netgen.kernels.layer import Json, Layer, Packed
from netgen.kernels.layout import Places, visiting_order
from netgen.kernels.products import describe_inputs, describe_product_pitches
from netgen.kernels.stretches import (
    VectorRun,
    describe_vector_runs,
    packed_order,
    vector_runs,
)
from netgen.kernels.targets import Target
from netgen.kernels.tiling import Tiling
from netgen.ops.transpose_conv2d import TransposeConv2d

# Outputs side by side: loops of so many, which compilers turn into vectors.
_BLOCKS = Tiling(vector_widths=(16, 4))


def transposed_op(layer: Layer) -> TransposeConv2d:
    """The operator of a layer that is a transposed convolution."""
    assert isinstance(layer.op, TransposeConv2d)
    return layer.op


def transposed_title(layer: Layer) -> str:
    """Kernel, stride, shapes of x and of the result, activation; of codes their type."""
    op, x, w = transposed_op(layer), layer.operands["x"], layer.operands["w"].shape
    kind = "" if x.element.is_float else f"{x.dtype}_"
    stride = "x".join(map(str, dict.fromkeys(op.stride)))
    shape, size = "x".join(map(str, x.shape[1:])), "x".join(map(str, layer.result.shape[1:]))
    act = "" if op.act == "none" else f"_{op.act}"
    return f"transpose_conv2d_{kind}{w[1]}x{w[2]}_s{stride}_{shape}_to_{size}{act}"


def output_blocks(layer: Layer, target: Target) -> list[VectorRun]:
    """The outputs in the order of their places in y, in blocks."""
    return vector_runs(layer, target.retiled(layer.result.dtype, _BLOCKS), ("y",), repeat=False)


def describe_transposed(layer: Layer, target: Target) -> dict[str, Json]:
    """Extents, stride, blocks of outputs, the places of inputs, bands."""
    op, w = transposed_op(layer), layer.operands["w"].shape
    return {
        **describe_extents(layer),
        "kernel_rows": w[1],
        "kernel_columns": w[2],
        "stride_rows": op.stride[0],
        "stride_columns": op.stride[1],
        "cut_rows": op.before[0],
        "cut_columns": op.before[1],
        **describe_product_pitches(layer),
        **describe_inputs(layer, 1),
        **describe_band(layer),
        "groups": 1,
        "blocks": describe_vector_runs(output_blocks(layer, target), _BLOCKS),
    }


def output_order(layer: Layer, target: Target) -> Places:
    """The logical outputs in the order in which blocks hold them."""
    return packed_order(layer, output_blocks(layer, target))


def blocked_weights(layer: Layer, target: Target, w: Packed) -> Packed:
    """Weights by (block, r, s, c, output of the block), one after the other."""
    inputs = visiting_order(layer.layout("x"))
    w = w[output_order(layer, target)][..., inputs]
    taps = w.reshape(len(w), -1)
    return np.concatenate([_block(taps, run) for run in output_blocks(layer, target)])


def _block(taps: Packed, run: VectorRun) -> Packed:
    """Blocks of one width: of each all taps, of each tap all outputs."""
    mine = taps[run.first : run.end].reshape(-1, run.width, taps.shape[1])
    return np.asarray(mine.transpose(0, 2, 1)).ravel()


def transposed_cost(layer: Layer, taps: float) -> float:
    """Cycles: `taps` for each product, of the pixels in the image."""
    return taps * layer.macs() + 8.0 * layer.result.elements
