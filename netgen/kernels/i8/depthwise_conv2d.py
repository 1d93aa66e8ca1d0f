"""Depthwise convolution of codes in vectors: products of pairs or quads of taps, row by row.

y[i][j][c] = code of (b[c] + sum over r, s of (x[i*u+r*d-p][j*v+s*e-q][c] - zero of x)
(w[c][r][s] - zero of w)), where what is outside the image is the zero point. Blocks of channels
slide along the row, `unroll` neighbouring outputs at once: each column of x is loaded once for
them, and its rows are joined as the instructions take them (`depthwise_blocks`). Zero points stand
in the bias.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array
from netgen.kernels.geometry import (
    describe_window,
    dilation_title,
    reaches_image,
    window_title,
)
from netgen.kernels.i8.depthwise_blocks import (
    BlockRun,
    block_runs,
    block_words,
    blocks_for,
    code_rows,
    groups_of,
    pack_blocks,
    packed_words,
    window_of,
)
from netgen.kernels.i8.depthwise_tiles import Row, describe_tiles, own_unroll, row_cycles
from netgen.kernels.i8.sums import CODES, Words, describe_codes
from netgen.kernels.layer import ByRows, Choice, ElementsByLetter, Json, Kernel, Layer, Packed
from netgen.kernels.loops import channel_loops, row_loop
from netgen.kernels.row_pairs import distance_in_place
from netgen.kernels.split import Loop, Split, split_loops
from netgen.kernels.split_loops import split_rows, split_vectors
from netgen.kernels.stretches import describe_pitches, describe_vector_runs, in_place, order_of
from netgen.kernels.targets import Target
from netgen.kernels.terms import product, sum_of
from netgen.kernels.tiling import Tiling
from netgen.ops.depthwise_conv2d import DepthwiseConv2d

# A kernel of 7 by 7: with more the code outgrows a first-level instruction cache by far.
_MOST_TAPS = 49


class DepthwiseConv2dI8(Kernel):
    """Multiplier 1; any window, stride, padding, dilation and layout; no sums in float64."""

    name: ClassVar[str] = "depthwise_conv2d_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (DepthwiseConv2d,)
    numeric_form: ClassVar[str] = "codes"
    unrolled: ClassVar[bool] = True
    elements: ClassVar[ElementsByLetter] = {"": CODES, "b": frozenset({"i32"})}
    weights_element: ClassVar[str] = "i32"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"
    in_order: ClassVar[bool] = True

    def accepts(self, layer: Layer) -> bool:
        """One output per channel, and taps few enough to unroll."""
        op = layer.op
        if not isinstance(op, DepthwiseConv2d) or op.rounding == "real":
            return False
        window = window_of(layer)
        same = layer.result.shape[3] == layer.operands["x"].shape[3]
        few = window.size[0] * window.size[1] <= _MOST_TAPS
        return same and few and reaches_image(layer, window)

    def runs_on(self, target: Target) -> bool:
        """Targets with vectors that multiply pairs of int16, or four of them."""
        return bool({"avx2", "asimd"} & {*target.cpu_features})

    def title(self, layer: Layer) -> str:
        """Element type, kernel, stride, input shape."""
        op = layer.op
        assert isinstance(op, DepthwiseConv2d)
        dilation = dilation_title(op)
        return window_title(f"depthwise_{layer.result.dtype}", layer, op.window, dilation, op.act)

    def cost(self, layer: Layer, target: Target) -> float:
        """Estimated cycles of all rows of all blocks."""
        row, unroll = _row(layer), _unroll(layer, target)
        blocks = [
            (each.block, (each.run.end - each.run.first) // each.run.width)
            for each in block_runs(layer, target)
        ]
        cycles = sum(count * row_cycles(row, unroll, block) for block, count in blocks)
        return layer.result.shape[1] * cycles

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, zero points and bounds, blocks of channels, tiles of columns by kind of block."""
        runs, window = block_runs(layer, target), window_of(layer)
        row, unroll = _row(layer), _unroll(layer, target)
        kinds = {each.block.group: each.block for each in runs}
        return {
            **describe_window(layer, window),
            **describe_pitches(layer, ("x", "y")),
            **describe_codes(layer),
            "unroll": min(unroll, row.outputs),
            "tiles": {str(g): describe_tiles(row, unroll, block) for g, block in kinds.items()},
            "guards": _guards(runs),
            "codes": layer.operands["x"].dtype,
            "result_codes": layer.result.dtype,
            "vectors": _describe_blocks(layer, runs),
            "places": [] if runs[0].run.lines else _places(layer),
        }

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """Numbers of neighbouring outputs that are computed at once."""
        own = own_unroll(_row(layer), blocks_for(layer, target)[0])
        others = [n for n in range(1, min(_row(layer).outputs, 16) + 1) if n != own]
        return tuple({"unroll": n} for n in [own, *sorted(others, key=lambda n: abs(n - own))])

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Block after block; see `depthwise_blocks`."""
        return pack_blocks(layer, target, constants)

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """The words of all blocks."""
        return 4 * packed_words(layer, target)

    def requantised(
        self, layer: Layer, target: Target, packed: Packed
    ) -> Sequence[tuple[Array, Words]]:
        """Vectors of codes."""
        return code_rows(layer, target, packed)

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Outputs are written in order of pixels, for each channel by itself.

        Within a tile all loads come before the stores.
        """
        return in_place(layer, "x", distance_in_place(layer, window_of(layer)))

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """Division by rows or by blocks of channels, in place by blocks: rows read each other's.

        If x has too few rows, those who compute x are divided by channels, too.
        """
        runs = [each.run for each in block_runs(layer, target)]
        vectors = split_vectors(layer, runs, threads)
        if "x" in overwritten:
            return vectors
        made = split_loops("rows", [Loop(0, layer.operands["x"].shape[1])], threads)
        rows = split_rows(layer, threads)
        return rows if made.share <= vectors.share else vectors

    def loops(self, parameters: Mapping[str, Json], by: str) -> tuple[Loop, ...]:
        """Rows, or blocks of channels."""
        if by == "rows":
            return row_loop(parameters)
        return channel_loops(parameters["vectors"]) if by == "vectors" else ()


def _row(layer: Layer) -> Row:
    return Row(window_of(layer), layer.result.shape[2], layer.operands["x"].shape[2])


def _unroll(layer: Layer, target: Target) -> int:
    choice = layer.choice
    return choice["unroll"] if choice else own_unroll(_row(layer), blocks_for(layer, target)[0])


def _guards(runs: Sequence[BlockRun]) -> list[Json]:
    """The macros of compilers that must be defined for the instructions of all blocks."""
    names = {each.block.name for each in runs}
    if "n8" in names:
        return ["__aarch64__"]
    guards = ["__AVX2__", "__FMA__"]
    if {"p32", "q64"} & names:
        guards += ["__AVX512BW__", "__AVX512DQ__", "__AVX512VL__"]
    if any(name.startswith("q") for name in names):
        guards += ["__AVX512VNNI__", "__AVX512BW__", "__AVX512VL__"]
    return [*dict.fromkeys(guards)]


def _describe_blocks(layer: Layer, runs: Sequence[BlockRun]) -> list[Json]:
    """Runs of blocks as templates print them: places, and the first word in terms of `c`."""
    window, x = window_of(layer), layer.operands["x"]
    scattered = not runs[0].run.lines
    described: list[Json] = [
        {"first": 0, "end": runs[0].run.end, "width": 1, "x": "places[c][0]", "y": "places[c][1]"}
    ]
    if not scattered:
        described = describe_vector_runs([each.run for each in runs], Tiling(vector_types=True))
    found: list[Json] = []
    for each, places in zip(runs, described, strict=True):
        assert isinstance(places, dict)
        block, run = each.block, each.run
        words = block_words(block, window)
        single = run.end - run.first == run.width
        step = words // run.width
        from_c = sum_of(product("c", step), each.words - run.first * step)
        found.append(
            {
                **places,
                "block": block.name,
                "group": block.group,
                "count": block.vectors,
                "lanes": block.lanes,
                "code_lanes": block.code_lanes,
                "block_channels": block.channels,
                "type": "int32x4_t" if block.planar else f"__m{32 * block.lanes}i",
                "lane_places": 1 if block.planar else block.group,
                "words": str(each.words if single else from_c),
                "border": x.zero - x.element.low if block.group == 4 else x.zero,
                "taps": _tap_places(layer, each),
            }
        )
    return found


def _places(layer: Layer) -> list[Json]:
    """Places in x and y of channels that are visited one by one."""
    order = order_of(layer)
    pairs = np.stack([layer.layout(letter).places()[order] for letter in ("x", "y")], axis=1)
    return [*pairs.tolist()]


def _tap_places(layer: Layer, each: BlockRun) -> list[Json]:
    """Places of the weights of a lane, by tap: in numbers of two bytes, of quads in bytes."""
    block, window = each.block, window_of(layer)
    places: dict[tuple[int, int], int] = {}
    for n, group in enumerate(groups_of(window, block)):
        for at, tap in enumerate(group):
            if tap is not None:
                within = at * block.channels if block.planar else at
                places[tap] = n * block.channels * block.group + within
    return [places[r, s] for r in range(window.size[0]) for s in range(window.size[1])]
