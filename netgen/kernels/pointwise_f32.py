"""Pointwise convolution and linear: a register-tiled product over packed weights.

y[i][o] = act(b[o] + sum over k of x[i][k] w[k][o] + residual[i][o]), k ascending; i runs over all
pixels of the image, rows joined. A grouped convolution is one such product per group, over its own
channels of every pixel. Weights are packed by `pack_panels`, group after group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.layer import Json, Kernel, Layer, Packed
from netgen.kernels.targets import Target
from netgen.kernels.tiles import (
    Panel,
    Tile,
    choose_tile,
    cut_panels,
    describe_panels,
    pack_panels,
    tile_cost,
)
from netgen.ops.conv2d import Conv2d
from netgen.ops.linear import Linear


@dataclass(frozen=True)
class _Product:
    """The layer as products of matrices; inputs and outputs are those of one group."""

    groups: int
    pixels: int
    inputs: int
    outputs: int
    act: str
    residual: bool


def _product(layer: Layer) -> _Product:
    op = layer.op
    assert isinstance(op, Conv2d | Linear)
    outputs, inputs = layer.result.shape[-1], layer.operands["x"].shape[-1]
    pixels = layer.result.elements // outputs
    groups = op.groups if isinstance(op, Conv2d) else 1
    residual = "residual" in layer.operands
    return _Product(groups, pixels, inputs // groups, outputs // groups, op.act, residual)


class PointwiseF32(Kernel):
    """Any number of pixels and channels; any target."""

    name: ClassVar[str] = "pointwise_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Conv2d, Linear)
    numeric_form: ClassVar[str] = "direct"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")

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
        p = _product(layer)
        groups = f"_g{p.groups}" if p.groups > 1 else ""
        ends = (
            groups + ("_residual" if p.residual else "") + ("" if p.act == "none" else f"_{p.act}")
        )
        return f"pointwise_{p.pixels}x{p.inputs}x{p.outputs}{ends}"

    def cost(self, layer: Layer, target: Target) -> float:
        """That of the chosen tile."""
        p = _product(layer)
        return p.groups * tile_cost(target, _tile(p, target), p.pixels, p.outputs, p.inputs)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Panels, tiles and the loop order."""
        p = _product(layer)
        tile = _tile(p, target)
        block = _block(p, tile, target)
        full = p.pixels // tile.rows * tile.rows
        panels = _panels(p, tile, target)
        weights = 4 * p.inputs * p.outputs
        return {
            "groups": p.groups,
            "pixels": p.pixels,
            "inputs": p.inputs,
            "outputs": p.outputs,
            "act": p.act,
            "residual": p.residual,
            "block": block,
            "blocked": block < full,
            "full": full,
            "tile": tile.rows,
            "rest": p.pixels - full,
            "panels": describe_panels(panels, target),
            "group_elements": sum(panel.elements for panel in panels) * (p.inputs + 1),
            # Weights that do not stay in the first-level cache from one inference to the next.
            "prefetch": _prefetch(tile, weights, target),
        }

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Panels of [bias, then one row per input]."""
        p = _product(layer)
        w = constants["w"].reshape(p.groups, p.outputs, p.inputs)
        b = constants.get("b", np.zeros(p.groups * p.outputs, np.float32))
        panels = _panels(p, _tile(p, target), target)
        groups = zip(w, b.reshape(p.groups, p.outputs), strict=True)
        return np.concatenate([pack_panels(panels, *group) for group in groups])

    def overlap(self, layer: Layer) -> dict[str, int]:
        """The residual is read at each place just before the output is written there."""
        return {"residual": 0} if _product(layer).residual else {}


def _tile(p: _Product, target: Target) -> Tile:
    return choose_tile(target, p.pixels, p.outputs, p.inputs)


def _panels(p: _Product, tile: Tile, target: Target) -> list[Panel]:
    return cut_panels(p.outputs, target.vector_widths, tile.vectors)


def _block(p: _Product, tile: Tile, target: Target) -> int:
    """Pixels for which all panels are computed before the next pixels are touched.

    As many tiles as keep the block's inputs in half of the first-level cache, while the weights of
    all panels stay in the second level; else all pixels, so that each panel is read only once.
    """
    if 4 * p.inputs * p.outputs > target.cache_l2 // 4:
        return p.pixels
    tiles = max(target.cache_l1 // 2 // (4 * p.inputs * tile.rows), 1)
    return min(tiles * tile.rows, p.pixels)


def _prefetch(tile: Tile, weights: int, target: Target) -> int:
    """Cache lines of the following weights to fetch with each step of k; 0 where they are near."""
    if not target.gnu_vectors or weights <= target.cache_l1:
        return 0
    return tile.vectors if tile.rows == 1 else 1
