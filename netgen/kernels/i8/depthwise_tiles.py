"""Tiles of neighbouring outputs of a depthwise convolution of codes, column of x by column.

A tile loads each column of x once, joins its rows, and adds the products to the sums of all outputs
that use it. Columns outside the image hold the zero point, as rows outside do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from netgen.kernels.i8.depthwise_blocks import Block, groups_of, joins_columns
from netgen.kernels.layer import Json
from netgen.ops.window import Window

# Estimated cycles of a column's loads and joins for one of its rows, of an output's codes, and of
# a call that makes the codes of a tile.
_COLUMN, _CODES, _TILE = 1.2, 4.0, 12.0
_MOST_UNROLLED = 8


@dataclass(frozen=True)
class Row:
    """The columns of x that a row of outputs reads: of how many outputs, of how wide an image."""

    window: Window
    outputs: int
    width: int

    def columns(self, count: int) -> list[int]:
        """The columns that so many neighbouring outputs read, from the first one's on."""
        stride, dilation = self.window.stride[1], self.window.dilation[1]
        taps = range(self.window.size[1])
        return sorted({n * stride + s * dilation for n in range(count) for s in taps})

    def outside(self, first: int, count: int) -> list[int]:
        """Columns that so many outputs from `first` on read, but that are not in the image."""
        start = first * self.window.stride[1] - self.window.pad[2]
        return [k for k in self.columns(count) if not 0 <= start + k < self.width]


def describe_tiles(row: Row, unroll: int, block: Block) -> list[Json]:
    """Loops over equal tiles of at most `unroll` outputs, with their columns."""
    runs: list[dict[str, Json]] = []
    patterns: list[tuple[int, list[int]]] = []
    for first in range(0, row.outputs, unroll):
        count = min(unroll, row.outputs - first)
        pattern = count, row.outside(first, count)
        if runs and patterns[-1] == pattern:
            runs[-1]["end"] = first + count
            continue
        patterns.append(pattern)
        runs.append({"first": first, "end": first + count, **_tile(row, count, pattern[1], block)})
    return [*runs]


def _tile(row: Row, count: int, outside: Sequence[int], block: Block) -> dict[str, Json]:
    columns = row.columns(count)
    inside = [k for k in columns if k not in outside]
    described = [_column(row, block, n, count, outside) for n in range(len(columns))]
    for each, k in zip(described, columns, strict=True):
        later = [other for other in inside if other > k]
        each["outside"] = k in outside
        each["advance"] = later[0] - k if later and k not in outside else 0
    begun: set[int] = set()
    last: dict[int, int] = {}
    for n, each in enumerate(described):
        outputs = {add["output"] for add in cast("list[dict[str, int]]", each["adds"])}
        each["begins"] = [*sorted(outputs - begun)]
        begun |= outputs
        last |= dict.fromkeys(outputs, n)
    for n, each in enumerate(described):
        each["ends"] = [output for output in sorted(last) if last[output] == n]
    return {
        "count": count,
        "start": inside[0] if inside else 0,
        "reads": bool(inside),
        "columns": [*described],
    }


def _column(
    row: Row, block: Block, number: int, count: int, outside: Sequence[int]
) -> dict[str, Json]:
    """One column and the products that it completes: of its rows, and of the last row's pairs."""
    window, columns = row.window, row.columns(count)
    k = columns[number]
    rows, width = window.size
    stride, dilation = window.stride[1], window.dilation[1]
    joined = joins_columns(window, block)
    upper = (rows - joined + block.group - 1) // block.group
    adds: list[Json] = []
    for n in range(count):
        s, rest = divmod(k - n * stride, dilation)
        if rest or not 0 <= s < width:
            continue
        adds += [
            {"output": n, "taps": f"taps{k}_{g}", "group": g * width + s} for g in range(upper)
        ]
    pairs: list[Json] = []
    if joined:
        # A pair begins in a column and is known in the next one, if any output reads that.
        known = [k - 1] if k - 1 in columns else []
        known += [k] if k + 1 not in columns else []
        for begin in known:
            uses: list[Json] = [
                {"output": n, "taps": f"last{begin}", "group": upper * width + s // 2}
                for n in range(count)
                if 0 <= (s := begin - n * stride) < width and s % 2 == 0
            ]
            if uses:
                ends: list[Json] = [
                    {"k": end, "outside": end in outside, "row": rows - 1} for end in (begin, k)
                ]
                pairs.append({"begin": begin, "ends": ends})
                adds += uses
    members: list[Json] = [
        [min(g * block.group + n, rows - 1) for n in range(block.group)] for g in range(upper)
    ]
    return {"k": k, "adds": adds, "pairs": pairs, "groups": upper, "members": members}


def own_unroll(row: Row, block: Block) -> int:
    """The number of outputs of a tile that takes the fewest estimated cycles."""
    widths = range(1, min(row.outputs, _MOST_UNROLLED) + 1)
    return min(widths, key=lambda unroll: (row_cycles(row, unroll, block), unroll))


def row_cycles(row: Row, unroll: int, block: Block) -> float:
    """Estimated cycles of a row of outputs of one block."""
    groups = len(groups_of(row.window, block))
    cycles = 0.0
    for first in range(0, row.outputs, unroll):
        count = min(unroll, row.outputs - first)
        columns = len(row.columns(count)) * row.window.size[0] * _COLUMN
        cycles += columns + count * (groups + _CODES) + _TILE
    return cycles * block.vectors / 2.0
