"""Depthwise convolution of codes by Helium: nine taps at once, in planes of three rows.

y[i][j][c] = code of (b[c] + sum over r, s of (x[i*u+r-p][j*v+s-q][c] - zero of x) (w[c][r][s] -
zero of w)), where what is outside the image is the zero point. Eight channels at once: each row of
x is written to the planes of its channels once. There the three rows of a column are bytes of one
word, in a ring, so the taps of a window are three words side by side: one VMLADAVA adds them up.
The sums of four channels become codes in one vector. The C functions are shared by all layers
(`templates/mve`). Packed: for each eight channels the numbers of two panels (`dots_packing`);
behind all of them the weights, for each channel three columns of four bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from netgen.kernels.geometry import describe_window
from netgen.kernels.i8.depthwise_planes import (
    DepthwisePlanesI8,
    describe_groups,
    groups_of,
    window_of,
)
from netgen.kernels.i8.dots_packing import NUMBERS, pack_panels
from netgen.kernels.i8.pairs_packing import PANEL, clamps, rounds_down
from netgen.kernels.i8.sums import describe_codes, words_of
from netgen.kernels.layer import Choice, ElementsByLetter, Json, Layer, Packed
from netgen.kernels.stretches import describe_pitches, order_of
from netgen.kernels.targets import Target

# Channels of a group, and the words of its numbers.
_GROUP = 8
_NUMBERS = _GROUP // PANEL * NUMBERS
# Rows of a window, bytes of a column, and of the taps of a channel: packed, and by first row.
_ROWS, _COLUMN, _PACKED, _TURNED = 3, 4, 12, 48
# Offsets within the planes of a group have 16 bits.
_MOST_PLANE = 2**16 // _GROUP


class DepthwiseDotsI8(DepthwisePlanesI8):
    """3 by 3 taps of signed codes, one output per channel, undilated; any layout."""

    name: ClassVar[str] = "depthwise_dots_i8"
    elements: ClassVar[ElementsByLetter] = {"": frozenset({"i8"}), "b": frozenset({"i32"})}

    def accepts(self, layer: Layer) -> bool:
        """Weights that signed bytes hold, less their zero point, and planes of some length."""
        return super().accepts(layer) and _plane(layer) < _MOST_PLANE

    def runs_on(self, target: Target) -> bool:
        """Targets with products whose sum goes to a register of the core."""
        return target.tiling("i8").dots

    def cost(self, layer: Layer, target: Target) -> float:
        """A quarter of the instructions: codes that are taken apart, outputs, rows of channels."""
        del target
        _, rows, _, channels = layer.result.shape
        return (
            0.15 * layer.operands["x"].elements
            + 1.2 * layer.result.elements
            + 2.0 * rows * channels
        )

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """None: windows are read in planes only."""
        del layer, target
        return ()

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, groups of channels and where they stand, bytes of planes."""
        groups = groups_of(layer, _GROUP)
        return {
            **describe_window(layer, window_of(layer)),
            **describe_pitches(layer, ("x", "y")),
            **describe_codes(layer),
            **describe_groups(layer, groups, _GROUP),
            "signed": rounds_down(layer),
            "clamps": clamps(layer),
            "columns": layer.operands["x"].shape[2],
            "plane": _plane(layer),
            "numbers": _NUMBERS,
            "constant_words": _NUMBERS * len(groups),
            "scratch": self.scratch(layer, target),
        }

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Numbers of all groups, then their weights. Raises WeightsError for sums beyond int32."""
        del target
        groups, order = groups_of(layer, _GROUP), order_of(layer)
        rows = order[np.concatenate([each.start + np.arange(each.channels) for each in groups])]
        lanes = np.concatenate([n * _GROUP + np.arange(g.channels) for n, g in enumerate(groups)])
        numbers = pack_panels(layer, rows, lanes, constants)
        packed = np.zeros(len(groups) * _NUMBERS, np.int32)
        packed[: numbers.size] = numbers
        weights = np.zeros((len(groups) * _GROUP, _ROWS, _COLUMN), np.int8)
        w = constants["w"][rows].astype(np.int64) - layer.operands["w"].zero
        weights[lanes, :, :_ROWS] = w.reshape(-1, _ROWS, _ROWS).transpose(0, 2, 1)
        return np.concatenate([packed, words_of(weights)])

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """Numbers and weights of all groups."""
        del target
        return len(groups_of(layer, _GROUP)) * (4 * _NUMBERS + _PACKED * _GROUP)

    def scratch(self, layer: Layer, target: Target) -> int:
        """The taps of a group of channels, and their planes."""
        del target
        return _GROUP * (_TURNED + _plane(layer))


def _plane(layer: Layer) -> int:
    """Bytes of the plane of a channel: what four outputs at once read, and all columns of x."""
    window = window_of(layer)
    # A vector has one column more than a window.
    read = (layer.result.shape[2] - 1) * window.stride[1] + _ROWS + 1
    return _COLUMN * max(read, window.pad[2] + layer.operands["x"].shape[2])
