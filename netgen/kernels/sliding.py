"""Tiles of neighbouring outputs along a row, and the input columns that they share.

Kernels that slide along a row unroll these: at the edges one output, with the taps that lie inside
the image; in the interior several outputs at once.
"""

from __future__ import annotations

from typing import cast

from netgen.kernels.layer import Json
from netgen.ops.window import Window


def rows_inside(window: Window, height: int, out_height: int) -> list[dict[str, Json]]:
    """The kernel's rows that some output has inside the image; `above` and `below`: others not."""
    rows: list[dict[str, Json]] = []
    for r in range(window.size[0]):
        inputs = [i * window.stride[0] - window.pad[0] + r for i in range(out_height)]
        if any(0 <= row < height for row in inputs):
            rows.append({"row": r, "above": inputs[0] < 0, "below": inputs[-1] >= height})
    return rows


def taps_used(tiles: list[dict[str, Json]]) -> list[int]:
    """The kernel's columns that some output uses."""
    return sorted(
        {
            use["tap"]
            for tile in tiles
            for column in cast("list[dict[str, list[dict[str, int]]]]", tile["columns"])
            for use in column["uses"]
        }
    )


def interior_tiles(window: Window, first: int, count: int, unroll: int) -> list[dict[str, Json]]:
    """Tiles of the `count` columns from `first` on: as many of `unroll` as fit, then the rest."""
    full = count // unroll * unroll
    tiles = []
    if full:
        tiles.append({**_interior_tile(window, unroll), "first": first, "end": first + full})
    if count > full:
        end = first + count
        tiles.append({**_interior_tile(window, count - full), "first": first + full, "end": end})
    return tiles


def _interior_tile(window: Window, count: int) -> dict[str, Json]:
    """Inputs of `count` neighbouring outputs: per input column, which output uses which tap."""
    columns: list[Json] = []
    for column in range((count - 1) * window.stride[1] + window.size[1]):
        uses: list[Json] = [
            {"output": n, "tap": column - n * window.stride[1]}
            for n in range(count)
            if 0 <= column - n * window.stride[1] < window.size[1]
        ]
        columns.append({"column": column, "uses": uses})
    return {"count": count, "outputs": list(range(count)), "columns": columns}


def edge_tile(window: Window, j: int, width: int) -> dict[str, Json]:
    """One output at the edge: only the taps that lie inside the image."""
    start = j * window.stride[1] - window.pad[2]
    columns: list[Json] = [
        {"column": start + s, "uses": [{"output": 0, "tap": s}]}
        for s in range(window.size[1])
        if 0 <= start + s < width
    ]
    return {"column": j, "count": 1, "outputs": [0], "columns": columns}
