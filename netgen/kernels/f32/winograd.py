"""Convolution 3x3 with stride 1 by Winograd's minimal filtering F(m x m, 3x3), m = 2 or 4.

For every tile of m x m outputs, y = At [sum over c of (G w Gt) * (Bt x B)] A + b + residual: with
t = m + 2, a tile takes t * t multiplications for each pair of channels in place of 9 m * m. Inputs
outside the image are zeros, which are multiplied. Tiles start at row and column 0; outputs of the
last ones that are none are computed and left out. Products are sums over c, in the order of the
places in x, for some tiles at a time: `points` matrices of tiles x C by C x N.

Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), equation 8. For
m = 4 the points are 0, 1, -1, 1/2, -2 and infinity, whose errors are a third of those of 0, 1, -1,
2, -2 (Barabasz et al., "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep
Neural Networks", 2018); rows of Bt are scaled to small numbers, those of G by the inverse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from netgen.ir.operator import Operator
from netgen.kernels.geometry import describe_window, window_title
from netgen.kernels.layer import Json, Kernel, Layer, Packed
from netgen.kernels.loops import listed_loops, number
from netgen.kernels.products import (
    Part,
    describe_loads,
    describe_product_pitches,
    input_runs,
    layout_cost,
    output_parts,
    visited,
)
from netgen.kernels.split import Loop, Split, split_loops
from netgen.kernels.split_loops import split_panels
from netgen.kernels.stretches import in_place
from netgen.kernels.targets import Target
from netgen.kernels.tiles import (
    Panel,
    Tile,
    choose_tile,
    cut_panels,
    describe_panels,
    pack_panels,
    panels_bytes,
    stream_cost,
    tile_cost,
)
from netgen.ops.conv2d import Conv2d

# Between the products of two points, in floats: else they would meet in one set of the caches.
_SKEW = 16


class WinogradF32(Kernel):
    """Dense, 3x3, stride 1, undilated; any padding and layout; targets with GNU vectors."""

    operators: ClassVar[tuple[type[Operator], ...]] = (Conv2d,)
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    any_layout: ClassVar[bool] = True
    transforms_weights: ClassVar[bool] = True
    outputs: ClassVar[int]  # m
    g: ClassVar[tuple[tuple[float, ...], ...]]  # G, [t, 3]
    # Additions and multiply-adds of one channel of a tile, before and behind the products.
    transform_steps: ClassVar[tuple[int, int]]

    def accepts(self, layer: Layer) -> bool:
        """Whether the formula covers the layer, and the image is no smaller than a tile."""
        op = layer.op
        if not isinstance(op, Conv2d) or op.groups > 1 or op.dilation != (1, 1):
            return False
        window = op.window(layer.operands["w"].shape)
        _, rows, columns, _ = layer.result.shape
        fits = min(rows, columns) >= self.outputs
        return fits and window.size == (3, 3) and window.stride == (1, 1)

    def runs_on(self, target: Target) -> bool:
        """Transforms are written with vectors; small processors have no room for the products."""
        return target.f32.winograd

    def title(self, layer: Layer) -> str:
        """Form, kernel, input and output shape."""
        assert isinstance(layer.op, Conv2d)
        residual = "_residual" if "residual" in layer.operands else ""
        name = f"winograd{self.outputs}"
        return window_title(name, layer, layer.op.window, residual, layer.op.act)

    def cost(self, layer: Layer, target: Target) -> float:
        """Products, or the weights that stream in meanwhile; transforms; layouts."""
        channels, n = layer.operands["x"].shape[3], layer.result.shape[3]
        tiles, block = self._tiles(layer), self._block(layer, target)
        blocks = -(-tiles // block)
        tile = self._tile(layer, target)
        points = len(self.g) ** 2
        products = points * blocks * tile_cost(target.f32, tile, block, n, channels)
        weights = blocks * stream_cost(target, self._weights(layer))
        before, behind = self.transform_steps
        transforms = tiles * (before * channels + behind * n) / target.f32.vector_widths[0]
        return max(products, weights) + transforms + layout_cost(layer, 1, tile, target)

    def scratch(self, layer: Layer, target: Target) -> int:
        """Transformed inputs of a block of tiles, and the products of one panel."""
        v, m = self._pitches(layer, target)
        return 4 * len(self.g) ** 2 * (v + m)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, tiles of pixels in blocks, tiles of products, panels, runs of inputs."""
        op = layer.op
        assert isinstance(op, Conv2d)
        tile, block = self._tile(layer, target), self._block(layer, target)
        part, m = _part(layer), self.outputs
        _, rows, columns, _ = layer.result.shape
        panels = cut_panels(part.lengths, target.f32.vector_widths, tile.vectors)
        input_pitch, product_pitch = self._pitches(layer, target)
        return {
            **describe_window(layer, op.window(layer.operands["w"].shape)),
            **describe_product_pitches(layer),
            "scratch": self.scratch(layer, target),
            "act": op.act,
            "residual": "residual" in layer.operands,
            "tiles_across": -(-columns // m),
            "pixel_tiles": self._tiles(layer),
            "block": block,
            "partial": bool(self._tiles(layer) % block),
            "points": len(self.g) ** 2,
            "input_pitch": input_pitch,
            "product_pitch": product_pitch,
            "tiles": _tile_runs(block, tile, prefetch=self._weights(layer) > target.cache_l2),
            "inputs": _describe_inputs(layer, target),
            **describe_loads([layer.operands["x"].shape[3]], target.f32),
            # Outputs of the last tiles that are below or right of the image.
            "below": bool(rows % m),
            "beside": bool(columns % m),
            "panels": describe_panels(panels, part.spans, target.f32, scattered=part.scattered),
        }

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Panels of [bias, then one row per (point, c)] of the transformed weights.

        Transformed in float64, elementwise in a fixed order.
        """
        ((w,), (b,)) = visited(layer, 1, constants)
        g = np.array(self.g)
        taps = w.reshape(len(w), 3, 3, -1).astype(np.float64)
        rows = _transformed(g, [taps[:, r] for r in range(3)])
        points = [_transformed(g, [row[:, s] for s in range(3)]) for row in rows]
        u = np.stack([point for row in points for point in row], axis=1)
        return pack_panels(self._panels(layer, target), u.reshape(len(u), -1).astype(np.float32), b)

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """Panels, with a row for each point of a tile and input."""
        inputs = layer.operands["w"].shape[3]
        return panels_bytes(self._panels(layer, target), len(self.g) ** 2 * inputs)

    def _panels(self, layer: Layer, target: Target) -> list[Panel]:
        vectors = self._tile(layer, target).vectors
        return cut_panels(_part(layer).lengths, target.f32.vector_widths, vectors)

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """Division by tiles; by panels, whose parts all transform the inputs, if that is better."""
        del overwritten  # a residual is read where the output is written, by the same part
        described = self.parameters(layer, target)
        count, rows = self._tiles(layer), self._tile(layer, target).rows
        tiles = split_loops("tiles", [Loop(0, count)], threads)
        # Products are computed for whole tiles of rows.
        largest = -(-max(b - a for a, b in pairwise(tiles.bounds[0])) // rows) * rows
        tiles = replace(tiles, share=min(largest / count, 1.0))
        panels = split_panels(described["panels"], threads)
        channels, n = layer.operands["x"].shape[3], layer.result.shape[3]
        before, behind = self.transform_steps
        # What every part does of the whole: its inputs' transforms.
        products = 2.0 * len(self.g) ** 2 * channels * n / 4
        repeated = before * channels / (before * channels + behind * n + products)
        share = repeated + (1.0 - repeated) * panels.share
        if self._weights(layer) > target.cache_l2:
            # Every part by tiles would wait for all weights.
            return replace(panels, share=share)
        return min((tiles, replace(panels, share=share)), key=lambda split: split.share)

    def loops(self, parameters: Mapping[str, Json], by: str) -> tuple[Loop, ...]:
        """Tiles of pixels, or panels of outputs."""
        if by == "tiles":
            return (Loop(0, number(parameters, "pixel_tiles")),)
        return listed_loops(parameters["panels"], "channels") if by == "panels" else ()

    def overlap(self, layer: Layer) -> dict[str, int]:
        """The residual is read at each place just before the output is written there."""
        return in_place(layer, "residual") if "residual" in layer.operands else {}

    def _tiles(self, layer: Layer) -> int:
        _, rows, columns, _ = layer.result.shape
        return -(-rows // self.outputs) * -(-columns // self.outputs)

    def _block(self, layer: Layer, target: Target) -> int:
        """Tiles at a time: as many as leave half of the second-level cache to the weights.

        Where all weights do not fit there, all tiles, so that weights are read once.
        """
        tiles, channels = self._tiles(layer), layer.operands["x"].shape[3]
        points = len(self.g) ** 2
        if self._weights(layer) > target.cache_l2:
            return tiles
        most = max(target.cache_l2 // 4 // (4 * points * channels), 8)
        return -(-tiles // -(-tiles // most))

    def _weights(self, layer: Layer) -> int:
        """Bytes of the transformed weights."""
        _, _, _, channels = layer.operands["x"].shape
        return 4 * len(self.g) ** 2 * channels * layer.result.shape[3]

    def _tile(self, layer: Layer, target: Target) -> Tile:
        channels, n = layer.operands["x"].shape[3], layer.result.shape[3]
        return choose_tile(target.f32, self._block(layer, target), n, channels)

    def _pitches(self, layer: Layer, target: Target) -> tuple[int, int]:
        """Floats from point to point of the transformed inputs, and of the products."""
        block, channels = self._block(layer, target), layer.operands["x"].shape[3]
        panel = self._tile(layer, target).vectors * target.f32.vector_widths[0]
        return block * channels + _SKEW, block * panel + _SKEW


class Winograd4F32(WinogradF32):
    """F(4x4, 3x3): a quarter of the multiplications."""

    name: ClassVar[str] = "conv2d_winograd4_f32"
    numeric_form: ClassVar[str] = "winograd-4x4"
    outputs: ClassVar[int] = 4
    g: ClassVar[tuple[tuple[float, ...], ...]] = (
        (1.0, 0.0, 0.0),
        (1 / 6, 1 / 6, 1 / 6),
        (1 / 6, -1 / 6, 1 / 6),
        (16 / 15, 8 / 15, 4 / 15),
        (1 / 30, -1 / 15, 2 / 15),
        (0.0, 0.0, 1.0),
    )
    transform_steps: ClassVar[tuple[int, int]] = (210, 160)


class Winograd2F32(WinogradF32):
    """F(2x2, 3x3): four ninths of the multiplications, with less than half the weights of m = 4."""

    name: ClassVar[str] = "conv2d_winograd2_f32"
    numeric_form: ClassVar[str] = "winograd-2x2"
    outputs: ClassVar[int] = 2
    g: ClassVar[tuple[tuple[float, ...], ...]] = (
        (1.0, 0.0, 0.0),
        (0.5, 0.5, 0.5),
        (0.5, -0.5, 0.5),
        (0.0, 0.0, 1.0),
    )
    transform_steps: ClassVar[tuple[int, int]] = (64, 50)


def _transformed(
    g: npt.NDArray[np.float64], taps: Sequence[npt.NDArray[np.float64]]
) -> list[npt.NDArray[np.float64]]:
    """The products of G's rows with three taps."""
    return [row[0] * taps[0] + row[1] * taps[1] + row[2] * taps[2] for row in g]


def _part(layer: Layer) -> Part:
    (part,) = output_parts(layer, 1)
    return part


def _tile_runs(block: int, tile: Tile, *, prefetch: bool) -> list[Json]:
    """Tiles of products: as many of the tile's rows as there are, then the rest.

    With `prefetch` the weights of the next point are fetched meanwhile, `lines` with each step of
    k, as evenly as can be: bursts would hold up the loads of what is there already.
    """
    runs: list[Json] = []
    first, lines = 0, tile.vectors if prefetch else 0
    for rows in (tile.rows, block % tile.rows):
        count = (block - first) // rows if rows else 0
        if count:
            each = -(-lines // count)
            lines -= min(each * count, lines)
            end = first + rows * count
            runs.append({"first": first, "end": end, "rows": rows, "prefetch": each})
            first = end
    return runs


def _describe_inputs(layer: Layer, target: Target) -> list[Json]:
    """Vectors over the channels of x: `first` to `end` count visits, `place` is where they stand.

    The last vector of a run repeats channels rather than leave some to scalars.
    """
    (table,) = input_runs(layer, 1)
    described: list[Json] = []
    first = 0
    for place, channels in zip(table[::2], table[1::2], strict=True):
        fitting = [width for width in target.f32.vector_widths if width <= channels] or [1]
        cut = channels - channels % fitting[0]
        loops = [(0, cut, fitting[0])]
        if cut < channels:
            last = min(width for width in fitting if width >= channels - cut)
            loops.append((channels - last, channels, last))
        described += [
            {"first": first + a, "end": first + b, "width": width, "place": place - first}
            for a, b, width in loops
        ]
        first += channels
    return described
