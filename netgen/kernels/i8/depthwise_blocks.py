"""Blocks of channels of a depthwise convolution of codes, and their packed constants.

A block's sums are vectors of int32, which one instruction adds to: products of pairs of int16, or
of quads of bytes. So weights stand in pairs or quads, of taps of neighbouring rows in one column
(`groups_of`). Rows of codes are joined likewise when they are loaded, by instructions that take
neighbours from each 16 bytes: lane k of the sums holds channel `channel_of(k)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.i8.requantisation import ROWS, pack_requantisation, requantisation_of
from netgen.kernels.i8.sums import Words, bias_of
from netgen.kernels.layer import Layer, Packed
from netgen.kernels.stretches import VectorRun, find_stretches, packed_order
from netgen.kernels.targets import Target
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.window import Window

# Runs of blocks that have code of their own.
_MOST_RUNS = 8
# A tap: row and column of the window.
Tap = tuple[int, int]


@dataclass(frozen=True)
class Block:
    """Channels that are computed together: `vectors` of so many `lanes`, `group` taps at once.

    Vectors of codes have `code_lanes` sums. If it is `planar`, weights of a tap are neighbours: not
    those of a lane.
    """

    name: str
    group: int
    vectors: int
    lanes: int
    code_lanes: int
    planar: bool = False

    @property
    def channels(self) -> int:
        """The channels of a full block."""
        return self.vectors * self.lanes

    def channel_of(self, lane: int) -> int:
        """The channel of a lane; lanes count through all vectors."""
        vector, at = divmod(lane, self.lanes)
        return at // 4 * 4 * self.vectors + vector * 4 + at % 4


_QUADS = (Block("q64", 4, 4, 16, 16), Block("q32", 4, 4, 8, 8), Block("q16", 4, 4, 4, 8))
_PAIRS = (Block("p32", 2, 2, 16, 16), Block("p16", 2, 2, 8, 8), Block("p8", 2, 2, 4, 8))
_NEON = Block("n8", 2, 2, 4, 4, planar=True)


def blocks_for(layer: Layer, target: Target) -> tuple[Block, ...]:
    """The blocks of a target, the widest first.

    Quads are of signed codes, and of signed weights without zero point.
    """
    features, w, x = target.cpu_features, layer.operands["w"], layer.operands["x"]
    if "avx512_vnni" in features and x.dtype == w.dtype == "i8" and not w.zero:
        return (*_QUADS, _PAIRS[-1])
    if "avx512bw" in features:
        return _PAIRS
    if "asimd" in features:
        return (_NEON,)
    return _PAIRS[1:] if "avx2" in features else ()


@dataclass(frozen=True)
class BlockRun:
    """Equal blocks one after the other, of `run.width` channels each; `words` stand before them."""

    block: Block
    run: VectorRun
    words: int


def block_runs(layer: Layer, target: Target) -> list[BlockRun]:
    """All channels in blocks, the widest first in each stretch; a rest fills a part of the last.

    Channels that stand apart have a block each. So have all, one by one at places of a table, where
    stretches are too many for code of their own.
    """
    blocks, window = blocks_for(layer, target), window_of(layer)
    found: list[BlockRun] = []
    words = 0
    for stretch in find_stretches(layer, ("x", "y")):
        first = stretch.first
        parts = _cut(stretch.channels, blocks) if stretch.vectors else [(blocks[-1], 1)]
        for block, width in parts:
            end = first + (stretch.end - first) // width * width
            run = VectorRun(first, end, width, first, stretch.lines)
            found.append(BlockRun(block, run, words))
            words += (end - first) // width * block_words(block, window)
            first = end
    if len(found) > _MOST_RUNS:
        return [BlockRun(blocks[-1], VectorRun(0, found[-1].run.end, 1, 0, {}), 0)]
    return found


def window_of(layer: Layer) -> Window:
    """The window of a depthwise convolution."""
    assert isinstance(layer.op, DepthwiseConv2d)
    return layer.op.window(layer.operands["w"].shape)


def _cut(channels: int, blocks: Sequence[Block]) -> list[tuple[Block, int]]:
    """Blocks and how many channels each of them holds."""
    found = []
    for block in blocks:
        count, channels = divmod(channels, block.channels)
        found += [(block, block.channels)] if count else []
    return [*found, (blocks[-1], channels)] if channels else found


def groups_of(window: Window, block: Block) -> list[tuple[Tap | None, ...]]:
    """The taps of each word of weights: of one column, the last row's maybe of two columns."""
    rows, columns = window.size
    joined = joins_columns(window, block)
    groups: list[tuple[Tap | None, ...]] = []
    for top in range(0, rows - joined, block.group):
        for s in range(columns):
            column = [(r, s) if r < rows else None for r in range(top, top + block.group)]
            groups.append(tuple(column))
    if joined:
        last = [(rows - 1, s) if s < columns else None for s in range(columns + 1)]
        groups += [(last[s], last[s + 1]) for s in range(0, columns, 2)]
    return groups


def joins_columns(window: Window, block: Block) -> bool:
    """Whether the last row's taps go in pairs by themselves, as it has no row beside it."""
    odd = window.size[0] % 2 == 1
    return block.group == 2 and odd and window.size[1] > 1 and window.dilation[1] == 1


def block_words(block: Block, window: Window) -> int:
    """Words of one block: biases, the rows that make codes, weights."""
    return (1 + ROWS + len(groups_of(window, block))) * block.channels


def packed_words(layer: Layer, target: Target) -> int:
    """Words of all blocks."""
    last, window = block_runs(layer, target)[-1], window_of(layer)
    run = last.run
    return last.words + (run.end - run.first) // run.width * block_words(last.block, window)


def channels_of(layer: Layer, runs: Sequence[BlockRun]) -> list[tuple[Block, Array]]:
    """The channel of each lane, -1 for none, of each block."""
    order = packed_order(layer, [each.run for each in runs])
    found = []
    for each in runs:
        block, run = each.block, each.run
        within = np.array([block.channel_of(lane) for lane in range(block.channels)])
        for first in range(run.first, run.end, run.width):
            at = np.minimum(first + within, run.end - 1)
            found.append((block, np.where(within < run.width, order[at], -1)))
    return found


def pack_blocks(layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Words:
    """Block after block: a bias for each lane, the rows of each vector of codes, weights."""
    blocks = channels_of(layer, block_runs(layer, target))
    codes = [lanes.reshape(-1, block.code_lanes) for block, lanes in blocks]
    rows = iter(
        pack_requantisation(
            requantisation_of(layer, constants), [v for each in codes for v in each]
        )
    )
    x, w = layer.operands["x"], constants["w"].astype(np.int64)[..., 0] - layer.operands["w"].zero
    parts = []
    for (block, lanes), vectors in zip(blocks, codes, strict=True):
        full = lanes >= 0
        own = np.where(full[:, None, None], w[lanes], 0)
        # Quads are of bytes from 0 on.
        zero = x.zero - x.element.low if block.group == 4 else x.zero
        bias = np.where(full, bias_of(constants)[lanes], 0) - zero * own.sum(axis=(1, 2))
        parts.append(bias.astype(np.uint32).view(np.int32))
        parts += [next(rows).ravel() for _ in vectors]
        parts += [
            _weight_words(own, group, planar=block.planar)
            for group in groups_of(window_of(layer), block)
        ]
    return np.concatenate(parts)


def _weight_words(w: Array, taps: Sequence[Tap | None], *, planar: bool) -> Words:
    """The word of each lane: its weights of some taps, the first in the lowest bits.

    If `planar`, the weights of all lanes for the first tap, then those for the next one.
    """
    element = np.int8 if len(taps) == 4 else np.int16
    words = np.zeros((len(w), len(taps)), element)
    for n, tap in enumerate(taps):
        if tap is not None:
            words[:, n] = w[:, tap[0], tap[1]]
    return (np.ascontiguousarray(words.T) if planar else words).view(np.int32).ravel()


def code_rows(layer: Layer, target: Target, packed: Packed) -> list[tuple[Array, Words]]:
    """The channels of the lanes of each vector of codes, and its rows in the packed constants."""
    found, at = [], 0
    window = window_of(layer)
    for block, lanes in channels_of(layer, block_runs(layer, target)):
        start, size = at + block.channels, ROWS * block.code_lanes
        for n, vector in enumerate(lanes.reshape(-1, block.code_lanes)):
            rows = packed[start + n * size : start + (n + 1) * size]
            found.append((vector, rows.reshape(ROWS, -1)))
        at += block_words(block, window)
    return found
