"""Depthwise convolution: vectors of channels, weights in registers, sliding along the row.

y[i][j][c] = act(b[c] + sum over r, s of x[i*u+r-p][j*v+s-q][c] w[r][s][c]), r and s ascending, taps
outside the image skipped. `unroll` neighbouring outputs share each input they have in common. For
each vector of channels the kernel's taps are loaded once per row; or, with `tiles_outside`, once
per tile of outputs, and the channels of a tile's pixels are read one after the other. With `pairs`
a tile is of two rows, which share the inputs that both need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, cast

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.f32.depthwise_choice import depthwise_choices, own_choice
from netgen.kernels.geometry import (
    describe_window,
    input_columns,
    reaches_image,
    window_title,
)
from netgen.kernels.layer import ByRows, Choice, Json, Kernel, Layer, Packed
from netgen.kernels.loops import channel_loops, row_loop
from netgen.kernels.pixel_order import PIXEL_BY_PIXEL, PixelOrder
from netgen.kernels.row_pairs import distance_in_place, late_columns
from netgen.kernels.sliding import edge_tile, interior_tiles, rows_inside, taps_used
from netgen.kernels.split import Loop, Split, split_loops
from netgen.kernels.split_loops import rows_of_call, split_rows, split_vectors
from netgen.kernels.stretches import (
    VectorRun,
    describe_pitches,
    describe_vector_runs,
    in_place,
    packed_order,
    vector_runs,
)
from netgen.kernels.targets import Target
from netgen.kernels.tiles import Panel, cut_vectors, pack_panels, panels_bytes
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.window import Window

# A kernel of 7 by 7: with more the code outgrows a first-level instruction cache by far.
_MOST_TAPS = 49


class DepthwiseConv2dF32(Kernel):
    """Multiplier 1, no dilation; any kernel size, stride, padding and target."""

    name: ClassVar[str] = "depthwise_conv2d_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (DepthwiseConv2d,)
    numeric_form: ClassVar[str] = "direct"
    unrolled: ClassVar[bool] = True
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
        vectors = len(cut_vectors(layer.result.shape[3], target.f32.vector_widths))
        _, rows, columns, channels = layer.result.shape
        return rows * columns * vectors * (layer.operands["w"].elements / channels + 2.0)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, columns by kind with their taps, vectors of channels."""
        op = layer.op
        assert isinstance(op, DepthwiseConv2d)
        window = op.window(layer.operands["w"].shape)
        choice = layer.choice or own_choice(layer, window, target)
        late = late_columns(layer, window, target) or 0 if choice["pairs"] else 0
        tiles = _tiles(layer, window, choice["unroll"], late)
        return {
            **describe_window(layer, window),
            **describe_pitches(layer, ("x", "y")),
            "act": op.act,
            "tiles_outside": bool(choice["tiles_outside"]),
            "late": late,
            "bodies": _bodies(layer, window, pairs=bool(choice["pairs"])),
            "taps": [*taps_used(tiles)],
            "tiles": [{**tile, "taps": [*taps_used([tile])]} for tile in tiles],
            "vectors": describe_vector_runs(self._runs(layer, target), target.f32),
        }

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """Numbers of neighbouring outputs computed at once, one row or two, orders of the loops."""
        assert isinstance(layer.op, DepthwiseConv2d)
        return depthwise_choices(layer, layer.op.window(layer.operands["w"].shape), target)

    def _runs(self, layer: Layer, target: Target) -> list[VectorRun]:
        """The vectors of channels, as they are packed."""
        return vector_runs(layer, target)

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Vectors of [bias, then one row per (r, s)], in the order in which they are visited."""
        runs, w = self._runs(layer, target), constants["w"]
        order = packed_order(layer, runs)
        b = constants.get("b", np.zeros(w.shape[0], np.float32))
        return pack_panels(_panels(runs), w.reshape(w.shape[0], -1)[order], b[order])

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """Vectors, with a row for each tap."""
        _, rows, columns, _ = layer.operands["w"].shape
        return panels_bytes(_panels(self._runs(layer, target)), rows * columns)

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Outputs are written in order of pixels, for each channel by itself.

        Output q (counted over the image) may take the place of an input that no later output reads.
        Within a tile all loads come before the stores. Rows go in pairs only where that is as good.
        """
        assert isinstance(layer.op, DepthwiseConv2d)
        window = layer.op.window(layer.operands["w"].shape)
        return in_place(layer, "x", distance_in_place(layer, window))

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """Division by rows or by vectors of channels.

        In place it is by vectors, as rows read each other's. If x has too few rows, those who
        compute x are divided by channels, too.
        """
        vectors = split_vectors(layer, self._runs(layer, target), threads)
        if "x" in overwritten:
            return vectors
        made = split_loops("rows", [Loop(0, layer.operands["x"].shape[1])], threads)
        assert isinstance(layer.op, DepthwiseConv2d)
        window = layer.op.window(layer.operands["w"].shape)
        choice = layer.choice or own_choice(layer, window, target)
        rows = split_rows(layer, threads, 1 + choice["pairs"])
        return rows if made.share <= vectors.share else vectors

    def loops(self, parameters: Mapping[str, Json], by: str) -> tuple[Loop, ...]:
        """Rows, as many as are computed at once, or vectors of channels."""
        if by == "rows":
            return row_loop(parameters, self.pixel_order(parameters).rows)
        return channel_loops(parameters["vectors"]) if by == "vectors" else ()

    def pixel_order(self, parameters: Mapping[str, Json]) -> PixelOrder:
        """Row by row, or in pairs of rows; of any parameters, which nobody may have checked."""
        match parameters:
            case {"bodies": [{"rows": int(rows), **_others}, *_], "late": int(late)} if rows > 0:
                return PixelOrder(rows, late)
        return PIXEL_BY_PIXEL


def _tiles(layer: Layer, window: Window, unroll: int, late: int) -> list[dict[str, Json]]:
    """Columns from left to right; `late` is the first column of tiles whose lower row waits."""
    columns, width = input_columns(layer, window), layer.operands["x"].shape[2]
    end = columns.left + columns.interior
    first = max(columns.left, late)
    tiles = [
        *(edge_tile(window, j, width) for j in range(columns.left)),
        # Each of these for itself: what waits has one place for each column, no loop over them.
        *(
            tile
            for at in range(columns.left, first, unroll)
            for tile in interior_tiles(window, at, min(unroll, first - at), unroll)
        ),
        *interior_tiles(window, first, end - first, unroll),
        *(edge_tile(window, j, width) for j in range(end, layer.result.shape[2])),
    ]
    return [{**tile, "late": first if (first := _first(tile)) < late else None} for tile in tiles]


def _first(tile: Mapping[str, Json]) -> int:
    return cast("int", tile["first" if "first" in tile else "column"])


def _bodies(layer: Layer, window: Window, *, pairs: bool) -> list[Json]:
    """The bodies of the loop over rows: rows by pairs, then one that is left; or one by one."""
    height, rows, calls = layer.operands["x"].shape[1], layer.result.shape[1], rows_of_call(layer)
    if not pairs:
        return [_body(window, rows_inside(window, height, rows), 1)]
    # A pair is an output of a higher window. In a band it may begin with any row.
    step, starts = (2, rows // 2) if layer.band is None else (1, rows - 1)
    up, across = window.stride
    double = replace(window, size=(window.size[0] + up, window.size[1]), stride=(step * up, across))
    bodies = [_body(window, rows_inside(double, height, starts), 2)]
    if calls % 2 and layer.band is None:
        last = replace(window, pad=(window.pad[0] - (rows - 1) * up, *window.pad[1:]))
        bodies.append(_body(window, rows_inside(last, height, 1), 1))
    elif calls % 2:
        bodies.append(_body(window, rows_inside(window, height, rows), 1))
    return bodies


def _body(window: Window, inputs: list[dict[str, Json]], rows: int) -> Json:
    """Input rows, with the kernel's row that each of `rows` outputs, c and d, has there."""
    described: list[Json] = []
    used: set[int] = set()
    for row in inputs:
        uses: list[Json] = []
        for lower, output in enumerate("cd"[:rows]):
            r = cast("int", row["row"]) - lower * window.stride[0]
            if 0 <= r < window.size[0]:
                uses.append({"output": output, "row": r})
                used.add(r)
        if uses:
            described.append({**row, "uses": uses})
    return {"rows": rows, "outputs": [*"cd"[:rows]], "inputs": described, "taps": [*sorted(used)]}


def _panels(runs: Sequence[VectorRun]) -> list[Panel]:
    return [
        Panel(first, run.width, (run.width,))
        for run in runs
        for first in range(run.first, run.end, run.width)
    ]
