"""Depthwise convolution: vectors of channels, weights in registers, sliding along the row.

y[i][j][c] = act(b[c] + sum over r, s of x[i*u+r-p][j*v+s-q][c] w[r][s][c]), r and s ascending, taps
outside the image skipped. For each vector of channels the kernel's taps are loaded once per row;
`unroll` neighbouring outputs share each input they have in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.geometry import (
    describe_window,
    input_columns,
    reaches_image,
    window_title,
)
from netgen.kernels.layer import ByRows, Choice, Json, Kernel, Layer, Packed
from netgen.kernels.sliding import edge_tile, interior_tiles, rows_inside, taps_used
from netgen.kernels.split import Loop, Split, split_loops
from netgen.kernels.split_loops import split_rows, split_vectors
from netgen.kernels.stretches import (
    VectorRun,
    describe_pitches,
    describe_vector_runs,
    in_place,
    packed_order,
    vector_runs,
)
from netgen.kernels.targets import Target
from netgen.kernels.tiles import Panel, cut_vectors, pack_panels
from netgen.ops.depthwise_conv2d import DepthwiseConv2d

# A kernel of 7 by 7: with more the code of one row outgrows a first-level instruction cache.
_MOST_TAPS = 49
# With 3 by 3 taps more outputs than this and their inputs outgrow 32 registers.
_MOST_UNROLLED = 16


class DepthwiseConv2dF32(Kernel):
    """Multiplier 1, no dilation; any kernel size, stride, padding and target."""

    name: ClassVar[str] = "depthwise_conv2d_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (DepthwiseConv2d,)
    numeric_form: ClassVar[str] = "direct"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"
    in_order: ClassVar[bool] = True

    def accepts(self, layer: Layer) -> bool:
        """One output per channel, undilated, and taps few enough to unroll."""
        op = layer.op
        if not isinstance(op, DepthwiseConv2d):
            return False
        window = op.window(layer.operands["w"].shape)
        same = layer.result.shape[3] == layer.operands["x"].shape[3]
        few = window.size[0] * window.size[1] <= _MOST_TAPS
        return same and op.dilation == (1, 1) and few and reaches_image(layer, window)

    def title(self, layer: Layer) -> str:
        """Kernel, stride, input shape."""
        assert isinstance(layer.op, DepthwiseConv2d)
        return window_title("depthwise", layer, layer.op.window, "", layer.op.act)

    def cost(self, layer: Layer, target: Target) -> float:
        """One multiply-add, and less than one load, for each vector and tap."""
        vectors = len(cut_vectors(layer.result.shape[3], target.vector_widths))
        _, rows, columns, channels = layer.result.shape
        return rows * columns * vectors * (layer.operands["w"].elements / channels + 2.0)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, columns by kind with their taps, vectors of channels."""
        op = layer.op
        assert isinstance(op, DepthwiseConv2d)
        window = op.window(layer.operands["w"].shape)
        columns = input_columns(layer, window)
        _, height, width, _ = layer.operands["x"].shape
        end = columns.left + columns.interior
        left = [edge_tile(window, j, width) for j in range(columns.left)]
        right = [edge_tile(window, j, width) for j in range(end, layer.result.shape[2])]
        unroll = layer.choice["unroll"] if layer.choice else target.depthwise_unroll
        interiors = interior_tiles(window, columns.left, columns.interior, unroll)
        return {
            **describe_window(layer, window),
            **describe_pitches(layer, ("x", "y")),
            "act": op.act,
            "rows": [*rows_inside(window, height, layer.result.shape[1])],
            "taps": [*taps_used([*left, *interiors, *right])],
            "left": [*left],
            "interiors": [*interiors],
            "right": [*right],
            "vectors": describe_vector_runs(vector_runs(layer, target), target),
        }

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """How many neighbouring outputs are computed at once: `unroll`."""
        assert isinstance(layer.op, DepthwiseConv2d)
        columns = input_columns(layer, layer.op.window(layer.operands["w"].shape)).interior
        own = target.depthwise_unroll
        # What is more than a row has comes to the same as the row.
        others = [n for n in range(1, min(columns, _MOST_UNROLLED) + 1) if n != min(own, columns)]
        return tuple({"unroll": n} for n in [own, *sorted(others, key=lambda n: abs(n - own))])

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Vectors of [bias, then one row per (r, s)], in the order in which they are visited."""
        runs, w = vector_runs(layer, target), constants["w"]
        order = packed_order(layer, runs)
        b = constants.get("b", np.zeros(w.shape[0], np.float32))
        return pack_panels(_panels(runs), w.reshape(w.shape[0], -1)[order], b[order])

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Outputs are written in order of pixels, for each channel by itself.

        Output q (counted over the image) may take the place of an input that no later output reads;
        `distance` is how many pixels before the input the output must start for that. Within a tile
        all loads come before the stores.
        """
        op = layer.op
        assert isinstance(op, DepthwiseConv2d)
        window = op.window(layer.operands["w"].shape)
        width, out_width = layer.operands["x"].shape[2], layer.result.shape[2]
        distance = 0
        for i in range(layer.result.shape[1]):
            row = i * window.stride[0] - window.pad[0]
            first_row = max(row, 0) * width
            # The earliest input that an output after (i, j) reads: in this row, or in the next.
            below = max(row + window.stride[0], 0) * width
            for j in range(out_width):
                column = max((j + 1) * window.stride[1] - window.pad[2], 0)
                needed = min(first_row + column, below) if j + 1 < out_width else below
                distance = max(distance, i * out_width + j - needed + 1)
        return in_place(layer, "x", distance)

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """By rows or by vectors of channels; in place by vectors, as rows read each other's.

        Where x has too few rows, those who compute x are divided by channels, too.
        """
        vectors = split_vectors(vector_runs(layer, target), threads)
        if "x" in overwritten:
            return vectors
        made = split_loops("rows", [Loop(0, layer.operands["x"].shape[1])], threads)
        return split_rows(layer, threads) if made.share <= vectors.share else vectors


def _panels(runs: Sequence[VectorRun]) -> list[Panel]:
    return [
        Panel(first, run.width, (run.width,))
        for run in runs
        for first in range(run.first, run.end, run.width)
    ]
