"""Depthwise convolution of codes on small processors: pairs of taps in planes of int16.

y[i][j][c] = code of (b[c] + sum over r, s of (x[i*u+r-p][j*v+s-q][c] - zero of x) (w[c][r][s] -
zero of w)), where what is outside the image is the zero point. Four channels at once: the rows that
a window sees are widened, and taken apart into a plane for each channel, each row of x once. There
neighbouring columns share a word: SMLAD multiplies two taps of a row. The C functions are shared by
all layers (`templates/dsp`). Packed: numbers as of panels of products (`pairs_packing`), a panel
for each four channels; behind them the weights, channel by channel.

Planes are a choice: without them windows are read where they stand, which takes no scratch, and
more than three times the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.geometry import describe_window, window_title
from netgen.kernels.i8.pairs_packing import NUMBERS, PANEL, clamps, pack_numbers, rounds_down
from netgen.kernels.i8.sums import CODES, codes_title, describe_codes, rounding_of, words_of
from netgen.kernels.layer import ByRows, Choice, ElementsByLetter, Json, Kernel, Layer, Packed
from netgen.kernels.layout import Span, common_spans
from netgen.kernels.row_pairs import distance_in_place
from netgen.kernels.stretches import describe_pitches, in_place, order_of
from netgen.kernels.targets import Target
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.window import Window

# Words of taps of a channel, and rows of a window.
_TAPS, _ROWS = 10, 3


class DepthwisePlanesI8(Kernel):
    """3 by 3 taps, one output per channel, undilated, columns one or two apart; any layout."""

    name: ClassVar[str] = "depthwise_planes_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (DepthwiseConv2d,)
    numeric_form: ClassVar[str] = "codes"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    elements: ClassVar[ElementsByLetter] = {"": CODES, "b": frozenset({"i32"})}
    scratch_element: ClassVar[str] = "i32"
    weights_element: ClassVar[str] = "i32"
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"
    in_order: ClassVar[bool] = True

    def accepts(self, layer: Layer) -> bool:
        """Weights that signed bytes hold, less their zero point, and taps that fit the planes."""
        op, w = layer.op, layer.operands["w"]
        if not isinstance(op, DepthwiseConv2d) or rounding_of(op) != "fixed":
            return False
        window = op.window(w.shape)
        fits = window.size == (3, 3) and window.dilation == (1, 1) and window.stride[1] in {1, 2}
        same = w.shape[0] == layer.operands["x"].shape[3]
        padded = window.pad[0] <= _ROWS
        signed = w.zero - w.element.low == 128
        return fits and same and padded and signed and "w" in layer.constant

    def runs_on(self, target: Target) -> bool:
        """Targets that multiply pairs of codes without vectors."""
        return target.tiling("i8").pixel_pairs

    def title(self, layer: Layer) -> str:
        """Element type, kernel, stride, input and output shape."""
        op = layer.op
        assert isinstance(op, DepthwiseConv2d)
        return window_title(f"depthwise_{codes_title(layer)}", layer, op.window, "", op.act)

    def cost(self, layer: Layer, target: Target) -> float:
        """A quarter of the instructions: codes that are taken apart, outputs."""
        del target
        if not _has_planes(layer):
            return 22.0 * layer.result.elements
        return 0.7 * layer.operands["x"].elements + 5.0 * layer.result.elements

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """With planes, and without."""
        del layer, target
        return {"planes": 1}, {"planes": 0}

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, groups of channels and where they stand, words of planes."""
        window, words = window_of(layer), _plane_words(layer)
        groups = groups_of(layer, PANEL)
        return {
            **describe_window(layer, window),
            **describe_pitches(layer, ("x", "y")),
            **describe_codes(layer),
            **describe_groups(layer, groups, PANEL),
            "codes_of": layer.operands["x"].dtype,
            "result_codes": layer.result.dtype,
            "clamps": clamps(layer),
            "planes": _has_planes(layer),
            "signed": not clamps(layer) and rounds_down(layer),
            "columns": layer.operands["x"].shape[2],
            "plane_words": words,
            "numbers": NUMBERS,
            "constant_words": NUMBERS * len(groups),
            "scratch": self.scratch(layer, target),
        }

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Numbers of all groups, then their weights."""
        del target
        groups, order = groups_of(layer, PANEL), order_of(layer)
        channels = [group.start + np.arange(group.channels) for group in groups]
        rows = order[np.concatenate(channels)]
        lanes = np.concatenate([n * PANEL + np.arange(g.channels) for n, g in enumerate(groups)])
        weights = np.zeros((len(groups) * PANEL, _ROWS, _ROWS), np.int8)
        w = constants["w"][rows].astype(np.int64) - layer.operands["w"].zero
        weights[lanes] = w.reshape(-1, _ROWS, _ROWS)
        return np.concatenate([pack_numbers(layer, rows, lanes, constants), words_of(weights)])

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """Numbers and weights of all groups."""
        del target
        return 4 * len(groups_of(layer, PANEL)) * (NUMBERS + _ROWS * _ROWS)

    def scratch(self, layer: Layer, target: Target) -> int:
        """The taps of four channels, and their planes, if there are any."""
        del target
        if not _has_planes(layer):
            return 0
        return 4 * PANEL * (_TAPS + _ROWS * _plane_words(layer))

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Outputs are written in order of pixels, for each channel by itself.

        What later rows read of earlier ones waits in the planes.
        """
        return in_place(layer, "x", distance_in_place(layer, window_of(layer)))


def window_of(layer: Layer) -> Window:
    """The window of a depthwise layer."""
    assert isinstance(layer.op, DepthwiseConv2d)
    return layer.op.window(layer.operands["w"].shape)


def _has_planes(layer: Layer) -> bool:
    return layer.choice is None or layer.choice["planes"] == 1


def _plane_words(layer: Layer) -> int:
    """Words of a row: the columns that outputs see, four outputs at once."""
    fours = -(-layer.result.shape[2] // 4)
    return fours * 2 * window_of(layer).stride[1] + 1


def groups_of(layer: Layer, most: int) -> list[Span]:
    """Channels that are computed at once: at most so many, side by side in x and in y."""
    layouts = {letter: layer.layout(letter) for letter in ("x", "y")}
    return [
        Span(span.start + at, min(most, span.channels - at), _moved(span, at))
        for span in common_spans(layouts, order_of(layer))
        for at in range(0, span.channels, most)
    ]


def _moved(span: Span, by: int) -> dict[str, int]:
    return {letter: place + by for letter, place in span.first.items()}


def describe_groups(layer: Layer, groups: list[Span], most: int) -> dict[str, Json]:
    """Places of groups of at most so many channels: in a row without gaps, or in a table."""
    first, full = groups[0].first, all(group.channels == most for group in groups[:-1])
    together = full and all(g.first == _moved(groups[0], n * most) for n, g in enumerate(groups))
    places: list[Json] = [[g.first["x"], g.first["y"], g.channels] for g in groups]
    return {
        "groups": len(groups),
        "places": [] if together else places,
        "x_first": first["x"],
        "y_first": first["y"],
        "whole": layer.result.shape[3] % most == 0,
    }
