"""Shared parts of pooling kernels: windows over vectors of channels, in loops or unrolled tiles."""

from __future__ import annotations

from typing import ClassVar, cast

from netgen.kernels.geometry import describe_window, input_columns
from netgen.kernels.layer import ByRows, Json, Layer
from netgen.kernels.loops import RowKernel
from netgen.kernels.sliding import edge_tile, interior_tiles, rows_inside
from netgen.kernels.stretches import describe_pitches, describe_vector_runs, vector_runs
from netgen.kernels.targets import Target
from netgen.kernels.tiles import cut_vectors
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.window import Window

# Neighbouring outputs at once. More share hardly more inputs: what takes long is their way from the
# second cache, and twice the code, which one call after another finds cold.
_UNROLLED = 4
# Of a tile, over all its outputs: four outputs of 3 by 3.
_TILE_TAPS = 36
# Of an interior output and all at the edges: 7 by 7 with edges on both sides. The code of more, for
# each width of vectors, outgrows a first-level cache; and in a loop over so many taps of one window
# the bounds of that loop, which unrolling saves, take little.
_MOST_TAPS = 300


class PoolKernel(RowKernel):
    """Base of the pooling kernels: any layout, in bands, rows divided between threads."""

    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def title(self, layer: Layer) -> str:
        """Kernel, stride, shape of x."""
        window = pool_window(layer)
        stride = "x".join(map(str, dict.fromkeys(window.stride)))
        shape = "x".join(map(str, layer.operands["x"].shape[1:]))
        return f"{layer.op.operator_name}_{window.size[0]}x{window.size[1]}_s{stride}_{shape}"


def pool_window(layer: Layer) -> Window:
    """The window of a layer that pools."""
    assert isinstance(layer.op, MaxPool2d | AvgPool2d)
    return layer.op.window()


def window_parameters(layer: Layer, window: Window, target: Target) -> dict[str, Json]:
    """Window and vectors of channels as the templates print them."""
    return {
        **describe_window(layer, window),
        **describe_pitches(layer, ("x", "y")),
        "vectors": describe_vector_runs(vector_runs(layer, target), target.f32),
    }


def fits_tiles(layer: Layer, window: Window) -> bool:
    """Whether the taps are few enough to unroll."""
    tiles = _tiles(layer, window, 1)
    used = sum(len(_uses(column)) for tile in tiles for column in _columns(tile))
    return used * window.size[0] <= _MOST_TAPS


def tile_parameters(layer: Layer, window: Window, target: Target) -> dict[str, Json]:
    """Window, vectors, rows of the kernel, and tiles of neighbouring outputs along a row.

    Those at the edges have one output in one `column`, those between them go on to the next ones.
    """
    taps = window.size[0] * window.size[1]
    tiles = _tiles(layer, window, max(min(_UNROLLED, _TILE_TAPS // taps), 1))
    return {
        **window_parameters(layer, window, target),
        "rows": [*rows_inside(window, layer.operands["x"].shape[1], layer.result.shape[1])],
        "tiles": [_with_ends(tile) for tile in tiles],
    }


def _tiles(layer: Layer, window: Window, unroll: int) -> list[dict[str, Json]]:
    columns = input_columns(layer, window)
    width, end = layer.operands["x"].shape[2], columns.left + columns.interior
    return [
        *(edge_tile(window, j, width) for j in range(columns.left)),
        *interior_tiles(window, columns.left, columns.interior, unroll),
        *(edge_tile(window, j, width) for j in range(end, layer.result.shape[2])),
    ]


def _with_ends(tile: dict[str, Json]) -> dict[str, Json]:
    """The tile, whose columns say which outputs have their first tap there, others, their last."""
    columns = [column for column in _columns(tile) if column["uses"]]
    users = [[use["output"] for use in _uses(column)] for column in columns]
    described: list[Json] = []
    for number, column in enumerate(columns):
        before = {output for outputs in users[:number] for output in outputs}
        behind = {output for outputs in users[number + 1 :] for output in outputs}
        begins: list[Json] = [n for n in users[number] if n not in before]
        goes_on: list[Json] = [n for n in users[number] if n in before]
        ends: list[Json] = [n for n in users[number] if n not in behind]
        described.append({**column, "begins": begins, "goes_on": goes_on, "ends": ends})
    return {**tile, "columns": described}


def _columns(tile: dict[str, Json]) -> list[dict[str, Json]]:
    return cast("list[dict[str, Json]]", tile["columns"])


def _uses(column: dict[str, Json]) -> list[dict[str, int]]:
    return cast("list[dict[str, int]]", column["uses"])


def window_cost(layer: Layer, window: Window, target: Target) -> float:
    """Cycles with loops: for each vector and tap a load, an operation and a turn of a loop."""
    return _vectors(layer, target) * (1.5 * window.size[0] * window.size[1] + 2.0)


def unrolled_cost(layer: Layer, window: Window, target: Target) -> float:
    """Cycles unrolled: for each vector and tap an operation, and less than one load."""
    return _vectors(layer, target) * (window.size[0] * window.size[1] + 2.0)


def _vectors(layer: Layer, target: Target) -> int:
    _, rows, columns, channels = layer.result.shape
    return rows * columns * len(cut_vectors(channels, target.f32.vector_widths))
