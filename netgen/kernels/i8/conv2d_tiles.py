"""Convolution of codes in plain C that compilers make vectors of: two pixels by four outputs.

The codes of the portable kernel. The innermost loop adds up products of 16-bit numbers, which
compilers know as one instruction (`pmaddwd`). Weights are packed as bytes without a sign, so that
what their loop computes needs 16 bits: gcc widens differences of bytes to that, but bytes
themselves to less than the instruction takes. Short windows are copied first, as 16-bit numbers
whose count is a multiple of DEPTH; others are read where they stand.

Packed: numbers by kind (`numbers_by_kind`), then weights by (o, r, s, c).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.geometry import window_title
from netgen.kernels.i8.conv2d_portable import Conv2dPortableI8
from netgen.kernels.i8.numbers_by_kind import count_of_numbers, pack_numbers
from netgen.kernels.i8.sums import codes_title, rounding_of, word_bytes, words_of
from netgen.kernels.layer import Json, Layer, Packed
from netgen.kernels.products import describe_inputs, describe_outputs
from netgen.kernels.targets import Target
from netgen.ops.conv2d import Conv2d

# Codes in a vector of bytes: sums over whole vectors leave nothing to add up one by one.
DEPTH = 16
# The 16-bit numbers of a copied window, which is an automatic variable.
_COPIED = 256
# Outputs of a tile, and of a block whose sums wait in an array.
_TILE, _BLOCKS = 4, (32, 16, 8, 4)


class Conv2dTilesI8(Conv2dPortableI8):
    """One group, undilated, of dense inputs and outputs."""

    name: ClassVar[str] = "conv2d_tiles_i8"
    unrolled: ClassVar[bool] = True

    def accepts(self, layer: Layer) -> bool:
        """Windows that are copied, or whose rows are whole vectors."""
        op, w = layer.op, layer.operands["w"]
        if not isinstance(op, Conv2d) or op.groups > 1 or "w" not in layer.constant:
            return False
        plain = op.dilation == (1, 1) and rounding_of(op) == "fixed" and w.shape[0] % _TILE == 0
        dense = not describe_inputs(layer, 1)["x_runs"] and len(describe_outputs(layer, 1)) == 1
        return plain and dense and (_copied(layer) or _whole(layer))

    def cost(self, layer: Layer, target: Target) -> float:
        """Less than output by output."""
        return 0.5 * super().cost(layer, target)

    def title(self, layer: Layer) -> str:
        """Element type, kernel, stride, input and output shape."""
        op = layer.op
        assert isinstance(op, Conv2d)
        return window_title(f"conv2d_{codes_title(layer)}", layer, op.window, "", op.act)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, groups, zero points and bounds, depth of a window, outputs of a block."""
        outputs, w = layer.operands["w"].shape[0], layer.operands["w"]
        y = describe_outputs(layer, 1)[0]
        assert isinstance(y, dict)
        return {
            **super().parameters(layer, target),
            "copied": _copied(layer),
            "depth": _depth(layer),
            "taps": w.elements // outputs,
            "row_inputs": w.shape[2] * w.shape[3],
            "block": next(size for size in _BLOCKS if outputs % size == 0),
            "w_zero": w.zero - w.element.low,
            "numbers": count_of_numbers(outputs),
            "y_first": y["y"],
        }

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Form, numbers by kind, weights. Raises WeightsError where sums do not fit int32."""
        numbers = pack_numbers(layer, constants, self.packed_outputs(layer, target))
        weights = words_of(self._bytes(layer, target, constants["w"]))
        return np.concatenate([numbers, weights])

    def _bytes(self, layer: Layer, target: Target, w: Array) -> Array:
        """Weights [outputs, depth] above the least code; the zero point fills windows up."""
        kind = layer.operands["w"]
        taps = self.packed_weights(layer, target, w).reshape(kind.shape[0], -1).astype(np.int64)
        filled = np.full((kind.shape[0], _depth(layer)), kind.zero, np.int64)
        filled[:, : taps.shape[1]] = taps
        return (filled - kind.element.low).astype(np.uint8)

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """All weights, three words for each output, and the form."""
        del target
        outputs = layer.operands["w"].shape[0]
        return 4 * count_of_numbers(outputs) + word_bytes(outputs * _depth(layer))


def _copied(layer: Layer) -> bool:
    """Whether windows are copied: short ones."""
    w = layer.operands["w"]
    return w.elements // w.shape[0] <= _COPIED


def _whole(layer: Layer) -> bool:
    """Whether the inputs of a row of the window follow each other, in whole vectors."""
    w = layer.operands["w"]
    joined = w.shape[2] == 1 or layer.layout("x").pitch == w.shape[3]
    return joined and w.shape[3] % DEPTH == 0


def _depth(layer: Layer) -> int:
    """The weights of an output, those that fill copied windows up among them."""
    w = layer.operands["w"]
    return -(-(w.elements // w.shape[0]) // DEPTH) * DEPTH
