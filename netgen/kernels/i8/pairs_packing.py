"""Packed constants of products at pairs of pixels.

Panels have four outputs, fewer where outputs end or do not stand side by side in y. For each panel
there are words of int32 first: whether its sums become codes the quick way, four biases, and three
words of each output. Zero points are part of the biases. Behind the words of all panels stand the
weights, bytes: for each input, or each four of them, those of output after output.

The quick way (`dsp/words.c.j2`) takes a multiplier, `start` and a shift to the right, e bits. It
gives the defined code of every sum below 2^30 if e is at least 1: `start` is zero * 2^e + 2^(e-1),
so adding it rounds halves up and brings the zero point with it. An output all of whose sums have
one code takes that way with a multiplier of 0. Other panels have the two words by
which sums are rescaled exactly, of doubles their halves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.i8.sums import Words, bias_of, checked_sums, rescaling_words, words_of
from netgen.kernels.layer import Layer, Packed
from netgen.kernels.layout import common_spans
from netgen.kernels.products import visiting_orders
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.fixed_point import Multipliers
from netgen.ops.rescaled import clamped_codes
from netgen.ops.weighted import Weighted
from netgen.ops.window import Window

# Outputs of a panel, and the words of its numbers: the way, biases, three for each output.
PANEL = 4
NUMBERS = 1 + PANEL + 3 * PANEL
# The way of panels whose sums become codes quickly; others have 1.
QUICK = 0
# Sums that double without overflow, and shifts by which a code of 9 bits does not either.
_MOST_SUM, _MOST_SHIFT = 2**30 - 1, 20


@dataclass(frozen=True)
class Patch:
    """The inputs that an output sees: a window over an image of so many channels."""

    window: Window
    image: tuple[int, int]
    result: tuple[int, int]
    inputs: int

    @property
    def direct(self) -> bool:
        """Whether a window is the inputs of one pixel, which stand in x as they are read."""
        return self.window.size == (1, 1) and not any(self.window.pad) and self.in_order

    in_order: bool = True

    @property
    def depth(self) -> int:
        """The inputs of a window."""
        return self.window.size[0] * self.window.size[1] * self.inputs

    @property
    def quads(self) -> int:
        """Fours of them."""
        return -(-self.depth // 4)


@dataclass(frozen=True)
class Panels:
    """The outputs in the order of their places, in panels.

    They stand side by side from `first` on, or by panel: `places` has the first place and the
    number. `lanes` are the positions of the visited outputs in all panels.
    """

    outputs: int
    count: int
    first: int
    places: Sequence[tuple[int, int]] | None
    lanes: Array


def patch_of(layer: Layer) -> Patch:
    """The window of a layer; one pixel, of a linear one."""
    x, op = layer.operands["x"], layer.op
    order = layer.layout("x").places()[visiting_orders(layer.layout("x"), 1)[0]]
    in_order = bool((np.diff(order) == 1).all())
    if isinstance(op, Conv2d | DepthwiseConv2d):
        window = op.window(layer.operands["w"].shape)
        (_, *image, inputs), result = x.shape, layer.result.shape
        sizes = (image[0], image[1]), (result[1], result[2])
        return Patch(window, *sizes, inputs, in_order)
    return Patch(Window((1, 1), (1, 1), (0, 0, 0, 0)), (1, 1), (1, 1), x.shape[-1], in_order)


def panels_of(layer: Layer) -> Panels:
    """The panels of a layer: each ends where its outputs in y do not go on."""
    (order,) = visiting_orders(layer.layout("y"), 1)
    spans = common_spans({"y": layer.layout("y")}, order)
    pieces: list[tuple[int, int]] = []
    lanes: list[int] = []
    for span in spans:
        for at in range(0, span.channels, PANEL):
            count = min(PANEL, span.channels - at)
            lanes += [len(pieces) * PANEL + n for n in range(count)]
            pieces.append((span.first["y"] + at, count))
    places = pieces if len(spans) > 1 else None
    return Panels(len(order), len(pieces), pieces[0][0], places, np.array(lanes, np.int64))


def clamps(layer: Layer) -> bool:
    """Whether codes are bounded by more than their type."""
    op, y = layer.op, layer.result
    assert isinstance(op, Weighted)
    return clamped_codes(op.activation or "none", y) != (y.element.low, y.element.high)


def rounds_down(layer: Layer) -> bool:
    """Whether sums below zero may have a code of their own: halves of those go down.

    A code clamped to the zero point, or to more, is the same wherever halves go.
    """
    op, y = layer.op, layer.result
    assert isinstance(op, Weighted)
    return clamped_codes(op.activation or "none", y)[0] < y.zero


def pack_pairs(
    layer: Layer,
    patch: Patch,
    panels: Panels,
    constants: Mapping[str, Packed],
    *,
    halves: bool,
) -> Packed:
    """Numbers of all panels, then weights: in fours if they are widened to `halves` of words.

    Raises WeightsError where sums do not fit int32.
    """
    (rows,) = visiting_orders(layer.layout("y"), 1)
    (columns,) = visiting_orders(layer.layout("x"), 1)
    w = constants["w"][rows].astype(np.int64) - layer.operands["w"].zero
    w = w.reshape(len(w), -1, patch.inputs)[:, :, columns].reshape(len(w), -1)
    group = 4 if halves else 1
    depth = -(-patch.depth // group) * group
    weights = np.zeros((panels.count * PANEL, depth), np.int8)
    weights[panels.lanes, : patch.depth] = w
    quads = weights.reshape(panels.count, PANEL, -1, group).transpose(0, 2, 1, 3)
    return np.concatenate([pack_numbers(layer, rows, panels.lanes, constants), words_of(quads)])


def pack_numbers(layer: Layer, rows: Array, lanes: Array, constants: Mapping[str, Packed]) -> Words:
    """The numbers of all panels; `rows` are the outputs in `lanes`, four to a panel."""
    kind = layer.operands
    count = -(-(int(lanes[-1]) + 1) // PANEL)
    w = constants["w"][rows].astype(np.int64).reshape(len(rows), -1) - kind["w"].zero
    bias = np.zeros(count * PANEL, np.int64)
    bias[lanes] = bias_of(constants)[rows].astype(np.int64) - kind["x"].zero * w.sum(axis=1)
    quick, words = _ways(layer, constants)
    slow = np.zeros(count * PANEL, bool)
    slow[lanes] = ~quick[rows]
    way = np.asarray(slow.reshape(-1, PANEL).any(axis=1), np.int64)
    own = np.equal(way, QUICK)[lanes // PANEL, None]
    numbers = np.zeros((count * PANEL, 3), np.int64)
    numbers[lanes] = np.where(own, words[0][rows], words[1][rows])
    panels = [way[:, None], bias.reshape(-1, PANEL), numbers.reshape(count, -1)]
    # Code 0 is one of i8 and of u8: a bias with the zero point is the sum of x whose codes are all
    # 0, which `checked_sums` has bounded.
    packed = np.concatenate(panels, axis=1).ravel()
    assert int(np.abs(packed).max()) < 2**31, "numbers of a panel do not fit int32"
    return np.asarray(packed, np.int32)


def _ways(layer: Layer, constants: Mapping[str, Packed]) -> tuple[Array, tuple[Words, Words]]:
    """Whether the quick way is right for each output, and its three words by way."""
    low, high = checked_sums(layer, constants)
    exact = rescaling_words(layer, constants)
    op, y = layer.op, layer.result
    assert isinstance(op, Weighted)
    exact_words = np.concatenate([exact, np.zeros((len(exact), 1), np.int32)], axis=1)
    if op.rounding in {"real", "even"}:
        return np.zeros(len(exact), bool), (exact_words, exact_words)
    multiplier, shift = exact.astype(np.int64).T
    most = np.maximum(np.abs(low), np.abs(high))
    quick = (shift <= -1) & (shift >= -_MOST_SHIFT) & (most <= _MOST_SUM)
    right = np.clip(-shift, 1, _MOST_SHIFT)
    start = (y.zero << right) + (1 << (right - 1))
    # Sums may all have one code, as those of a network's dead channels: 2 * code + 1, halved.
    rescaled = Multipliers(multiplier, shift)
    bounds = clamped_codes(op.activation or "none", y)
    least, code = (np.clip(rescaled.times(sums) + y.zero, *bounds) for sums in (low, high))
    constant = least == code
    words = [
        np.where(constant, 0, multiplier),
        np.where(constant, 2 * code + 1, start),
        np.where(constant, 1, right),
    ]
    return quick | constant, (np.stack(words, axis=1).astype(np.int32), exact_words)
