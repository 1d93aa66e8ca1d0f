"""Dense convolution and linear of codes by Helium: four outputs at two pixels, 16 inputs at once.

y[i][j][o] = code of (b[o] + sum over r, s, c of (x[i*u+r*d-p][j*v+s*e-q][c] - zero of x)
w[o][r][s][c]), where what is outside the image is the zero point. The windows of a block of pixels
are copied first, each filled up to whole vectors, unless they stand in x as they are read; codes
without a sign are copied less 128. VMLADAVA adds 16 products to a register of the core: eight sums
stay there, and become codes in two vectors of four. Sums are integers: no order or block changes
them.

The C functions are shared by all layers (`templates/mve`): an instance says what is copied. Packed:
numbers (`dots_packing`), then for each panel and vector of inputs the weights of its four outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.geometry import describe_band
from netgen.kernels.i8.dots_packing import NUMBERS, pack_panels, signed_zero
from netgen.kernels.i8.pairs_packing import PANEL, Patch, panels_of, patch_of, rounds_down
from netgen.kernels.i8.product_pairs import (
    ProductPairsI8,
    describe_outputs,
    describe_patch,
    pixels_of_call,
)
from netgen.kernels.i8.sums import CODES, describe_codes, words_of
from netgen.kernels.layer import Choice, ElementsByLetter, Json, Layer, Packed
from netgen.kernels.products import describe_inputs, describe_product_pitches, visiting_orders
from netgen.kernels.split_loops import rows_of_call
from netgen.kernels.targets import Target
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.linear import Linear
from netgen.ops.weighted import Weighted

# Codes of a vector.
_VECTOR = 16
# Pixels of a block: enough to share the start of a panel, few enough for little memory.
_MOST_PIXELS, _LEAST_PIXELS, _IMAGE_BYTES = 64, 8, 4608


class ProductDotsI8(ProductPairsI8):
    """One group, or depthwise with one input, to signed codes; any window and layout."""

    name: ClassVar[str] = "product_dots_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Conv2d, DepthwiseConv2d, Linear)
    elements: ClassVar[ElementsByLetter] = {
        "": frozenset({"i8"}),
        "x": CODES,
        "b": frozenset({"i32"}),
    }

    def accepts(self, layer: Layer) -> bool:
        """Layers of its base whose sums are rescaled in integers, or in float64."""
        op = layer.op
        return super().accepts(layer) and isinstance(op, Weighted) and op.rounding != "even"

    def runs_on(self, target: Target) -> bool:
        """Targets with products whose sum goes to a register of the core."""
        return target.tiling("i8").dots

    def cost(self, layer: Layer, target: Target) -> float:
        """A quarter of the instructions: products, copies, codes of sums."""
        del target
        patch, panels = patch_of(layer), panels_of(layer)
        pixels = layer.result.elements // layer.result.shape[-1]
        vectors = _vectors(patch)
        products = 0.5 * vectors * PANEL * panels.count * pixels
        copied = 0.0 if _direct(layer, patch) else pixels * (8.0 + 1.0 * vectors)
        return products + copied + 1.1 * layer.result.elements

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """None: windows are copied in lines, of blocks of one size."""
        del layer, target
        return ()

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Copies of windows, the pixels of a block, panels and where their outputs stand in y."""
        patch, panels = patch_of(layer), panels_of(layer)
        return {
            **describe_patch(layer, patch),
            **describe_band(layer),
            **describe_product_pitches(layer),
            **describe_inputs(layer, 1),
            **describe_codes(layer),
            "codes_of": layer.operands["x"].dtype,
            "beyond": signed_zero(layer),
            "signed": rounds_down(layer),
            "direct": _direct(layer, patch),
            "padded": any(patch.window.pad),
            "vectors": _vectors(patch),
            "staged": _VECTOR * _vectors(patch),
            "lines": _lines(layer, patch),
            "line_pixels": pixels_of_call(layer) // _lines(layer, patch),
            "pixels": pixels_of_call(layer),
            "block": _block(layer, patch),
            "panels": panels.count,
            "numbers": NUMBERS,
            "constant_words": panels.count * NUMBERS,
            "panel_bytes": PANEL * _VECTOR * _vectors(patch),
            "scratch": self.scratch(layer, target),
            **describe_outputs(panels),
        }

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Numbers of all panels, then their weights."""
        del target
        patch, panels = patch_of(layer), panels_of(layer)
        (rows,) = visiting_orders(layer.layout("y"), 1)
        (columns,) = visiting_orders(layer.layout("x"), 1)
        w = constants["w"][rows].astype(np.int64) - layer.operands["w"].zero
        w = w.reshape(len(w), -1, patch.inputs)[:, :, columns].reshape(len(w), -1)
        weights = np.zeros((panels.count * PANEL, _VECTOR * _vectors(patch)), np.int8)
        weights[panels.lanes, : patch.depth] = w
        vectors = weights.reshape(panels.count, PANEL, -1, _VECTOR).transpose(0, 2, 1, 3)
        numbers = pack_panels(layer, rows, panels.lanes, constants)
        return np.concatenate([numbers, words_of(vectors)])

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """Numbers and weights of all panels."""
        del target
        patch, panels = patch_of(layer), panels_of(layer)
        return panels.count * (4 * NUMBERS + PANEL * _VECTOR * _vectors(patch))

    def scratch(self, layer: Layer, target: Target) -> int:
        """The windows of a block."""
        del target
        patch = patch_of(layer)
        if _direct(layer, patch):
            return 0
        return _VECTOR * _vectors(patch) * _block(layer, patch)


def _vectors(patch: Patch) -> int:
    """Vectors of the inputs of a window."""
    return -(-patch.depth // _VECTOR)


def _direct(layer: Layer, patch: Patch) -> bool:
    """Whether a window is whole vectors of one pixel, which stand in x as they are read."""
    signed = layer.operands["x"].dtype == "i8"
    return signed and patch.direct and patch.depth % _VECTOR == 0


def _lines(layer: Layer, patch: Patch) -> int:
    """Stretches of pixels that are equally far from each other, where no window is copied."""
    if isinstance(layer.op, Linear) or (layer.band is None and patch.window.stride == (1, 1)):
        return 1
    return rows_of_call(layer)


def _block(layer: Layer, patch: Patch) -> int:
    """The pixels of a block: all are divided into equal ones, of whole pairs."""
    pixels = pixels_of_call(layer)
    bytes_of = _VECTOR * _vectors(patch)
    most = min(max(_IMAGE_BYTES // bytes_of, _LEAST_PIXELS), _MOST_PIXELS)
    block = -(-pixels // -(-pixels // most))
    return min(-(-block // 2) * 2, pixels)
