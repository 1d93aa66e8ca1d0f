"""Pointwise convolution and linear: a register-tiled product over packed weights.

y[i][o] = act(b[o] + sum over k of x[i][k] w[k][o] + residual[i][o]), k ascending; i runs over all
pixels of the image, rows joined. A grouped convolution is one such product per group, over its own
channels of every pixel. Inputs k are visited in the order of their places in x, outputs o in that
of their places in y; weights are packed by `pack_panels` in that order, group after group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.compressed import (
    WIDENED,
    describe_weights,
    header_elements,
    tiling_of,
    weights_title,
)
from netgen.kernels.layer import ByRows, Choice, Json, Kernel, Layer, Packed
from netgen.kernels.loops import listed_loops, number
from netgen.kernels.products import (
    Part,
    describe_inputs,
    describe_loads,
    describe_product_pitches,
    layout_cost,
    most_fold,
    output_parts,
    run_lengths,
    visited,
)
from netgen.kernels.split import Loop, Split, cheapest
from netgen.kernels.split_loops import read_bytes, split_panels, split_pixels
from netgen.kernels.stretches import in_place
from netgen.kernels.targets import Target
from netgen.kernels.tiles import (
    Panel,
    Tile,
    choose_tile,
    cut_panels,
    describe_panels,
    diagonally,
    pack_panels,
    panels_bytes,
    ranked_tiles,
    tile_cost,
)
from netgen.ops.conv2d import Conv2d
from netgen.ops.linear import Linear


@dataclass(frozen=True)
class Product:
    """The layer as products of matrices; inputs and outputs are those of one group."""

    groups: int
    pixels: int
    inputs: int
    outputs: int
    act: str
    residual: bool


def product_of(layer: Layer) -> Product:
    """The product that a layer of this kernel is."""
    op = layer.op
    assert isinstance(op, Conv2d | Linear)
    outputs, inputs = layer.result.shape[-1], layer.operands["x"].shape[-1]
    pixels = layer.result.elements // outputs
    groups = op.groups if isinstance(op, Conv2d) else 1
    residual = "residual" in layer.operands
    return Product(groups, pixels, inputs // groups, outputs // groups, op.act, residual)


class PointwiseF32(Kernel):
    """Any number of pixels and channels; any target."""

    name: ClassVar[str] = "pointwise_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Conv2d, Linear)
    numeric_form: ClassVar[str] = "direct"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    widens: ClassVar[frozenset[str]] = WIDENED
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """1x1, stride 1, no padding."""
        op = layer.op
        if isinstance(op, Linear):
            return True
        return (
            isinstance(op, Conv2d)
            and layer.operands["w"].shape[1:3] == (1, 1)
            and op.stride == (1, 1)
            and not any(op.pad)
        )

    def title(self, layer: Layer) -> str:
        """Pixels, inputs and outputs of a group."""
        p = product_of(layer)
        groups = f"_g{p.groups}" if p.groups > 1 else ""
        ends = groups + ("_residual" if p.residual else "") + weights_title(layer.weights)
        ends += "" if p.act == "none" else f"_{p.act}"
        return f"pointwise_{p.pixels}x{p.inputs}x{p.outputs}{ends}"

    def cost(self, layer: Layer, target: Target) -> float:
        """Cycles of the chosen tile, and of the layouts."""
        p = product_of(layer)
        tile = _tile(layer, target)
        fold = most_fold(layer, p.groups, target)
        product = p.groups * tile_cost(
            tiling_of(layer.weights, target), tile, p.pixels, p.outputs, p.inputs, fold
        )
        return product + layout_cost(layer, p.groups, tile, target)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Panels, tiles and the loop order."""
        p = product_of(layer)
        tile = _tile(layer, target)
        chosen = layer.choice or _ways(p, tile, target)[0]
        block = chosen["block"]
        full = p.pixels // tile.rows * tile.rows
        dense = {"x": "inputs", "y": "outputs", "residual": "outputs"} if p.groups == 1 else {}
        return {
            "groups": p.groups,
            "pixels": p.pixels,
            "inputs": p.inputs,
            "outputs": p.outputs,
            "act": p.act,
            "residual": p.residual,
            "block": block,
            "blocked": block < full,
            "tiled_pixels": full,
            "tile": tile.rows,
            "rest": p.pixels - full,
            **describe_product_pitches(layer, dense),
            **describe_inputs(layer, p.groups),
            **describe_loads(run_lengths(layer, p.groups), target.f32),
            "parts": [
                _describe_part(layer, part, target) for part in output_parts(layer, p.groups)
            ],
            "prefetch": chosen["prefetch"],
            **describe_weights(layer.weights),
        }

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """Tiles of `rows` by `vectors`, in blocks of pixels, with lines to prefetch per step."""
        p = product_of(layer)
        fold = most_fold(layer, p.groups, target)
        tiles = ranked_tiles(tiling_of(layer.weights, target), p.pixels, p.outputs, p.inputs, fold)
        offered: list[Choice] = []
        for tile, rank in diagonally(tiles, range(_MOST_WAYS)):
            ways = _ways(p, tile, target)
            if rank < len(ways):
                offered.append({"rows": tile.rows, "vectors": tile.vectors, **ways[rank]})
        return tuple(offered)

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Panels of [bias, then one row per input]."""
        p = product_of(layer)
        w, b = visited(layer, p.groups, constants)
        packed = [
            pack_panels(_panels(layer, part, target), w[group, :, 0], b[group], layer.weights)
            for part in output_parts(layer, p.groups)
            for group in range(part.first, part.end)
        ]
        return np.concatenate(packed)

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """Panels of all groups."""
        p = product_of(layer)
        return sum(
            (part.end - part.first)
            * panels_bytes(_panels(layer, part, target), p.inputs, layer.weights)
            for part in output_parts(layer, p.groups)
        )

    def overlap(self, layer: Layer) -> dict[str, int]:
        """The residual is read at each place just before the output is written there."""
        return in_place(layer, "residual") if product_of(layer).residual else {}

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """Division by pixels, or by panels of the only group."""
        del overwritten
        described = self.parameters(layer, target)
        pixels = split_pixels(described, threads)
        candidates = [read_bytes(layer, pixels)] if pixels else []
        match described["parts"]:
            case [{"panels": panels}] if described["groups"] == 1:
                candidates.append(read_bytes(layer, split_panels(panels, threads)))
        return cheapest(candidates, self.cost_of_call(layer, target)) if candidates else None

    def loops(self, parameters: Mapping[str, Json], by: str) -> tuple[Loop, ...]:
        """Tiles of pixels, with the rest behind the last one, or panels of the only group."""
        if by == "pixels":
            keys = ("tiled_pixels", "tile", "rest")
            full, tile, rest = (number(parameters, key) for key in keys)
            tiles = Loop(0, full, tile)
            return (tiles, Loop(full, full + rest, rest, follows=True)) if rest else (tiles,)
        match parameters:
            case {"groups": 1, "parts": [{"panels": panels}]} if by == "panels":
                return listed_loops(panels, "channels")
        return ()


def _tile(layer: Layer, target: Target) -> Tile:
    if layer.choice is not None:
        return Tile(layer.choice["rows"], layer.choice["vectors"])
    p = product_of(layer)
    fold = most_fold(layer, p.groups, target)
    return choose_tile(tiling_of(layer.weights, target), p.pixels, p.outputs, p.inputs, fold)


def _panels(layer: Layer, part: Part, target: Target) -> list[Panel]:
    fold = most_fold(layer, product_of(layer).groups, target)
    vectors = _tile(layer, target).vectors
    return cut_panels(part.lengths, target.f32.vector_widths, vectors, fold, target.f32.folds)


def _describe_part(layer: Layer, part: Part, target: Target) -> dict[str, Json]:
    """The groups and panels of a part, and the steps of pointers from group to group."""
    p = product_of(layer)
    panels = _panels(layer, part, target)
    elements = sum(panel.elements for panel in panels) * (p.inputs + header_elements(layer.weights))
    x_step = describe_inputs(layer, p.groups)["x_step"]
    steps: dict[str, Json] = {"x": "inputs" if x_step == p.inputs else x_step, "w": elements}
    steps |= {letter: "outputs" if n == p.outputs else n for letter, n in part.steps.items()}
    only = part.end == p.groups and part.end == part.first + 1
    return {
        "first": part.first,
        "end": part.end,
        "steps": [] if only else [[letter, step] for letter, step in steps.items() if step],
        "panels": describe_panels(panels, part.spans, target.f32, scattered=part.scattered),
    }


# Loop orders by numbers of lines to prefetch: the most that `_ways` gives.
_MOST_WAYS = 2 * 4


def _ways(p: Product, tile: Tile, target: Target) -> list[dict[str, int]]:
    """Blocks of pixels and lines to prefetch, the estimated best first."""
    full = p.pixels // tile.rows * tile.rows
    best = _block(p, tile, target)
    other = _near_block(p, tile, target) if best >= full else p.pixels
    blocks = [best] if min(other, best) >= full else [best, other]
    lines = [_prefetch(p, target)]
    if target.processor.prefetch:
        lines += [n for n in dict.fromkeys((0, 1, 2, tile.vectors)) if n not in lines]
    return [{"block": b, "prefetch": n} for b, n in diagonally(blocks, lines[: _MOST_WAYS // 2])]


def _block(p: Product, tile: Tile, target: Target) -> int:
    """Pixels for which all panels are computed before the next pixels are touched.

    Those whose inputs stay near, while the weights of all panels stay in the second-level cache;
    else all pixels, so that each panel is read only once.
    """
    if 4 * p.inputs * p.outputs > target.cache_l2 // 4:
        return p.pixels
    return _near_block(p, tile, target)


def _near_block(p: Product, tile: Tile, target: Target) -> int:
    """The pixels of a block whose inputs stay in half of the first-level cache: whole tiles."""
    tiles = max(target.cache_l1 // 2 // (4 * p.inputs * tile.rows), 1)
    return min(tiles * tile.rows, p.pixels)


def _prefetch(p: Product, target: Target) -> int:
    """Cache lines of the following weights to fetch with each step of k.

    None where weights stay in the first-level cache from one inference to the next, and none for
    one pixel: then each is needed sooner than it comes, and processors follow one stream by
    themselves. Else one: more hold up the loads of what is there already.
    """
    if (
        not target.processor.prefetch
        or 4 * p.inputs * p.outputs <= target.cache_l1
        or p.pixels == 1
    ):
        return 0
    return 1
