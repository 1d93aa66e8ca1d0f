"""Depthwise convolution: vectors of channels, weights in registers, sliding along the row.

y[i][j][c] = act(b[c] + sum over r, s of x[i*u+r-p][j*v+s-q][c] w[r][s][c]), r and s ascending, taps
outside the image skipped. `unroll` neighbouring outputs share each input they have in common. For
each vector of channels the kernel's taps are loaded once per row; or, with `tiles_outside`, once
per tile of outputs, and the channels of a tile's pixels are read one after the other.
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
from netgen.kernels.tiles import Panel, cut_vectors, diagonally, pack_panels
from netgen.ops.depthwise_conv2d import DepthwiseConv2d

# A kernel of 7 by 7: with more the code of one row outgrows a first-level instruction cache.
_MOST_TAPS = 49
# With 3 by 3 taps more outputs than this and their inputs outgrow 32 registers.
_MOST_UNROLLED = 16
# As many taps as registers hold beside the outputs of a tile.
_MOST_OUTSIDE = 9
# Floats of a cache line.
_LINE = 16
# What a tap takes to load from the first-level cache, or from the second one, where reading a
# vector of inputs in the order of memory saves 1: measured on x86-64-v3 and -v4.
_TAP_CYCLES = 1.2
_FAR_TAP_CYCLES = 3.0


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
        choice = layer.choice or _own_choice(layer, window, target)
        interiors = interior_tiles(window, columns.left, columns.interior, choice["unroll"])
        return {
            **describe_window(layer, window),
            **describe_pitches(layer, ("x", "y")),
            "act": op.act,
            "tiles_outside": bool(choice["tiles_outside"]),
            "rows": [*rows_inside(window, height, layer.result.shape[1])],
            "taps": [*taps_used([*left, *interiors, *right])],
            "tiles": [{**tile, "taps": [*taps_used([tile])]} for tile in [*left, *interiors, *right]],
            "vectors": describe_vector_runs(vector_runs(layer, target), target),
        }

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """How many neighbouring outputs are computed at once, and in which order of loops."""
        assert isinstance(layer.op, DepthwiseConv2d)
        window = layer.op.window(layer.operands["w"].shape)
        columns = input_columns(layer, window).interior
        own = _own_choice(layer, window, target)
        unroll, order = own["unroll"], own["tiles_outside"]
        # What is more than a row has comes to the same as the row.
        others = [
            n for n in range(1, min(columns, _MOST_UNROLLED) + 1) if n != min(unroll, columns)
        ]
        unrolls = [unroll, *sorted(others, key=lambda n: abs(n - unroll))]
        return tuple(
            {"unroll": n, "tiles_outside": outside}
            for n, outside in diagonally(unrolls, [order, 1 - order])
        )

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


def _own_choice(layer: Layer, window: Window, target: Target) -> Choice:
    unroll = target.depthwise_unroll
    outside = target.cache_miss > 0 and _gains_outside(layer, window, target, unroll)
    return {"unroll": unroll, "tiles_outside": int(outside)}


def _gains_outside(layer: Layer, window: Window, target: Target, unroll: int) -> bool:
    """Whether tiles belong outside the loops over vectors of channels.

    So they do where the rows of a window do not stay in the first-level cache: they come faster
    from the second one if pixels are read in the order of memory, and once, however narrow vectors
    are. But each tile loads its taps, which ought to stay. Taps of larger windows than 3 by 3 stay
    in no registers in either order.
    """
    pixel, taps = 4 * layer.result.shape[3], window.size[0] * window.size[1]
    width, columns = layer.operands["x"].shape[2], input_columns(layer, window)
    # The rows of a band are what the layer before has written last.
    cached = target.cache_l1 * (1.5 if layer.band else 1.0)
    if taps > _MOST_OUTSIDE or window.size[0] * width * pixel <= cached:
        return False
    reads = window.size[0] * width * max(_LINE / target.vector_widths[0], 1.0)
    tiles = layer.result.shape[2] - columns.interior + -(-columns.interior // unroll)
    load = _TAP_CYCLES if (1 + taps) * pixel <= target.cache_l1 / 3 else _FAR_TAP_CYCLES
    return reads > load * tiles * (1 + taps)


def _panels(runs: Sequence[VectorRun]) -> list[Panel]:
    return [
        Panel(first, run.width, (run.width,))
        for run in runs
        for first in range(run.first, run.end, run.width)
    ]
