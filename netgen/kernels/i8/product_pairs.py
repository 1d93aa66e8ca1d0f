"""Dense convolution and linear of codes on small processors: four outputs at two pixels.

y[i][j][o] = code of (b[o] + sum over r, s, c of (x[i*u+r*d-p][j*v+s*e-q][c] - zero of x)
w[o][r][s][c]), where what is outside the image is the zero point. The windows of a block of pixels
are widened to int16 first, two pixels side by side, so layouts, bands and borders end there. Then
the weights of four outputs are widened, and meet all pixels of the block: SMLAD multiplies two
codes at once, and eight sums stay in registers. Sums are integers: no order or block changes them.

A block's pixels are a choice: fewer take less scratch, and more time. A block of one pixel has no
copies but of a window that does not stand in x as it is read: codes and weights are widened in
registers, and four sums stay there. It is the only one of a layer with one pixel, and its fastest.

The C functions are shared by all layers (`templates/dsp`): an instance says what is copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.geometry import describe_band, window_title
from netgen.kernels.i8.pairs_packing import (
    NUMBERS,
    PANEL,
    Panels,
    Patch,
    clamps,
    pack_pairs,
    panels_of,
    patch_of,
    rounds_down,
)
from netgen.kernels.i8.sums import CODES, codes_title, describe_codes
from netgen.kernels.layer import ByRows, Choice, ElementsByLetter, Json, Kernel, Layer, Packed
from netgen.kernels.products import describe_inputs, describe_product_pitches
from netgen.kernels.split_loops import rows_of_call
from netgen.kernels.targets import Target
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.linear import Linear
from netgen.ops.weighted import Weighted

# Pixels of a block: enough for the weights to be widened seldom, few enough for little memory.
_MOST_PIXELS, _LEAST_PIXELS, _IMAGE_BYTES = 64, 8, 9216
# Those of blocks that are smaller; with two, one by one is as fast.
_FEWER = (32, 16, 8, 4)
# Codes that a compiler copies without a call.
_SHORT = 16


class ProductPairsI8(Kernel):
    """One group, or depthwise with one input; any window, layout, padding and dilation."""

    name: ClassVar[str] = "product_pairs_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Conv2d, DepthwiseConv2d, Linear)
    numeric_form: ClassVar[str] = "codes"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    elements: ClassVar[ElementsByLetter] = {"": CODES, "b": frozenset({"i32"})}
    scratch_element: ClassVar[str] = "i32"
    weights_element: ClassVar[str] = "i32"
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Weights that signed bytes hold, less their zero point, and all inputs for each output."""
        op, w = layer.op, layer.operands["w"]
        if "w" not in layer.constant or w.zero - w.element.low != 128:
            return False
        if isinstance(op, DepthwiseConv2d):
            return layer.operands["x"].shape[3] == 1
        return not isinstance(op, Conv2d) or op.groups == 1

    def runs_on(self, target: Target) -> bool:
        """Targets that multiply pairs of codes without vectors."""
        return target.tiling("i8").pixel_pairs

    def title(self, layer: Layer) -> str:
        """Operator, kernel, stride, input and output shape."""
        x, y, op, types = layer.operands["x"], layer.result, layer.op, codes_title(layer)
        assert isinstance(op, Weighted)
        act = op.activation or "none"
        if isinstance(op, Conv2d | DepthwiseConv2d):
            return window_title(f"conv2d_{types}", layer, op.window, "", act)
        end = "" if act == "none" else f"_{act}"
        return f"linear_{types}_{x.shape[-1]}x{y.shape[-1]}{end}"

    def cost(self, layer: Layer, target: Target) -> float:
        """A quarter of the instructions: products, what is widened, codes of sums."""
        patch, panels = patch_of(layer), panels_of(layer)
        pixels = layer.result.elements // layer.result.shape[-1]
        padded, block = 4 * patch.quads, _block(layer, patch)
        products = padded * PANEL * panels.count * pixels
        codes = 3.0 * layer.result.elements
        if block == 1:
            copied = 0.0 if patch.direct else 0.3 * padded * pixels
            return (0.42 if _halves(target) else 0.25) * products + copied + codes
        weights = 0.3 * padded * PANEL * panels.count * pixels / block
        copied = padded * pixels * (0.3 if patch.direct else 0.6)
        return 0.19 * products + weights + copied + codes

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """Blocks of so many `pixels`, large ones first."""
        del target
        pixels = pixels_of_call(layer)
        if pixels == 1:
            return ({"pixels": 1},)
        own = _own_most(patch_of(layer))
        sizes = [_equal(pixels, most) for most in (own, *(n for n in _FEWER if n < own))]
        return tuple({"pixels": size} for size in dict.fromkeys([*sizes, 1]))

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Copies of windows, the pixels of a block, panels and where their outputs stand in y."""
        patch, panels = patch_of(layer), panels_of(layer)
        block, halves = _block(layer, patch), _halves(target)
        return {
            **describe_patch(layer, patch),
            **describe_band(layer),
            **describe_product_pitches(layer),
            **describe_inputs(layer, 1),
            **describe_codes(layer),
            "border": layer.operands["x"].zero,
            "codes_of": layer.operands["x"].dtype,
            "result_codes": layer.result.dtype,
            "clamps": clamps(layer),
            "signed": not clamps(layer) and rounds_down(layer),
            "pixels": pixels_of_call(layer),
            "block": block,
            "one_by_one": block == 1,
            "panels": panels.count,
            "numbers": NUMBERS,
            "constant_words": panels.count * NUMBERS,
            "halves": halves,
            "panel_words": patch.quads * 2 * PANEL,
            "pair_step": 4 * patch.quads if halves else 2 * patch.depth,
            "words_before": _words_before(patch, block, halves=halves),
            "scratch": self.scratch(layer, target),
            **describe_outputs(panels),
        }

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """See `pairs_packing`."""
        patch, panels = patch_of(layer), panels_of(layer)
        return pack_pairs(layer, patch, panels, constants, halves=_halves(target))

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """Numbers and weights of all panels."""
        patch, panels = patch_of(layer), panels_of(layer)
        depth = 4 * patch.quads if _halves(target) else patch.depth
        return panels.count * (4 * NUMBERS + depth * PANEL)

    def scratch(self, layer: Layer, target: Target) -> int:
        """One panel of weights, the pixels of a block, and of windows the codes of two.

        Of one pixel the codes of its window alone.
        """
        patch = patch_of(layer)
        block, staged = _block(layer, patch), 0 if patch.direct else 4 * patch.quads
        if block == 1:
            return staged
        return 4 * _words_before(patch, block, halves=_halves(target)) + 2 * staged


def _halves(target: Target) -> bool:
    """Whether codes wait as int16, as products of pairs take them."""
    return target.tiling("i8").pairs_of_halves


def _words_before(patch: Patch, block: int, *, halves: bool) -> int:
    """Words of scratch before the codes of two windows: a panel of weights, pairs of pixels."""
    if halves:
        return patch.quads * (2 * PANEL + 4 * _pairs(block))
    return -(-2 * patch.depth * _pairs(block) // 4)


def pixels_of_call(layer: Layer) -> int:
    """The pixels that one call computes."""
    if isinstance(layer.op, Linear):
        return 1
    return rows_of_call(layer) * layer.result.shape[2]


def _pairs(pixels: int) -> int:
    return -(-pixels // 2)


def _block(layer: Layer, patch: Patch) -> int:
    """The pixels of a block."""
    if layer.choice is not None:
        return layer.choice["pixels"]
    pixels = pixels_of_call(layer)
    return 1 if pixels == 1 else _equal(pixels, _own_most(patch))


def _own_most(patch: Patch) -> int:
    """The pixels of the largest block."""
    return min(max(_IMAGE_BYTES // (8 * patch.quads), _LEAST_PIXELS), _MOST_PIXELS)


def _equal(pixels: int, most: int) -> int:
    """The pixels of blocks of at most so many: all are divided into equal ones, of whole pairs."""
    block = -(-pixels // -(-pixels // most))
    return min(2 * _pairs(block), pixels)


def describe_patch(layer: Layer, patch: Patch) -> dict[str, Json]:
    """Extents, steps, and how windows are copied: by rows if their columns are neighbours in x."""
    window, channels = patch.window, patch.inputs
    rows, columns = window.size
    layout = layer.layout("x")
    dense = layout.pitch == channels and layout.is_dense
    return {
        "height": patch.image[0],
        "width": patch.image[1],
        "channels": channels,
        "out_height": patch.result[0],
        "out_width": patch.result[1],
        "outputs": layer.result.shape[-1],
        "kernel_rows": rows,
        "kernel_columns": columns,
        "stride_rows": window.stride[0],
        "stride_columns": window.stride[1],
        "pad_top": window.pad[0],
        "pad_left": window.pad[2],
        "dilation_rows": window.dilation[0],
        "dilation_columns": window.dilation[1],
        "row_codes": columns * channels,
        "short_rows": columns * channels <= _SHORT,
        "depth": patch.depth,
        "quads": patch.quads,
        "staged": 4 * patch.quads,
        "direct": patch.direct,
        "joined": dense and window.dilation[1] == 1,
    }


def describe_outputs(panels: Panels) -> dict[str, Json]:
    """The places of the outputs of panels: four after four, or in pieces."""
    if panels.places is None:
        return {"y_first": panels.first, "y_pieces": [], "whole": panels.outputs % PANEL == 0}
    pieces: list[Json] = [[place, count] for place, count in panels.places]
    return {"y_first": 0, "y_pieces": pieces, "whole": False}
