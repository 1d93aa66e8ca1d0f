"""Dense convolution: a register-tiled direct kernel over rows, without an im2col buffer.

y[i][j][o] = act(b[o] + sum over r, s, c of x[i*u+r-p][j*v+s-q][c] w[r][s][c][o] + residual), with
r, s, c ascending and taps outside the image skipped. In NHWC the taps (s, c) of one kernel row are
consecutive, so a row of the kernel is one run of S*C inputs. The stem of a network (3 channels) is
the same kernel with a short run. Where pixels hold more than the inputs, a tap has runs of its own.
Inputs c are visited in the order of their places in x, outputs o in that of their places in y.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.compressed import WIDENED, describe_weights, tiling_of, weights_title
from netgen.kernels.geometry import describe_window, reaches_image, tile_columns, window_title
from netgen.kernels.layer import ByRows, Choice, Json, Kernel, Layer, Packed
from netgen.kernels.loops import listed_loops, row_loop
from netgen.kernels.products import (
    Part,
    describe_inputs,
    describe_loads,
    describe_product_pitches,
    input_runs,
    layout_cost,
    most_fold,
    output_parts,
    run_lengths,
    visited,
)
from netgen.kernels.split import Loop, Split, cheapest
from netgen.kernels.split_loops import read_bytes, split_panels, split_rows
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
    ranked_tiles,
    tile_cost,
)
from netgen.ops.conv2d import Conv2d


class Conv2dF32(Kernel):
    """One group, no dilation; any kernel size, stride, padding and target."""

    name: ClassVar[str] = "conv2d_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Conv2d,)
    numeric_form: ClassVar[str] = "direct"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    widens: ClassVar[frozenset[str]] = WIDENED
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Dense and undilated, and not pointwise: there all rows are one product."""
        op = layer.op
        if not isinstance(op, Conv2d) or op.groups > 1 or op.dilation != (1, 1):
            return False
        if layer.operands["w"].shape[1:3] == op.stride == (1, 1) and not any(op.pad):
            return False
        return reaches_image(layer, op.window(layer.operands["w"].shape))

    def title(self, layer: Layer) -> str:
        """Kernel, stride, input and output shape."""
        assert isinstance(layer.op, Conv2d)
        residual = "_residual" if "residual" in layer.operands else ""
        return window_title(
            "conv2d", layer, layer.op.window, residual + weights_title(layer.weights), layer.op.act
        )

    def cost(self, layer: Layer, target: Target) -> float:
        """Cycles of the chosen tile, over all rows, and of the layouts."""
        _, rows, columns, outputs = layer.result.shape
        k = layer.operands["w"].elements // outputs
        tile = _tile(layer, target)
        fold = most_fold(layer, 1, target)
        product = rows * tile_cost(
            tiling_of(layer.weights, target), tile, columns, outputs, k, fold
        )
        return product + layout_cost(layer, 1, tile, target)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, panels, tiles of columns."""
        op = layer.op
        assert isinstance(op, Conv2d)
        tile = _tile(layer, target)
        window = op.window(layer.operands["w"].shape)
        part = _part(layer)
        panels = _panels(layer, target)
        return {
            **describe_window(layer, window),
            **describe_product_pitches(layer),
            **_describe_taps(layer, window.size[1]),
            # From the window of an output to that of the next one.
            "window_step": window.stride[1] * layer.layout("x").pitch,
            "act": op.act,
            "residual": "residual" in layer.operands,
            "tiles": tile_columns(
                layer, window, tile.rows, lambda taps: _loads(layer, taps, target)
            ),
            "panels": describe_panels(panels, part.spans, target.f32, scattered=part.scattered),
            **describe_weights(layer.weights),
        }

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """Tiles of `rows` columns by `vectors`."""
        tiles = ranked_tiles(
            tiling_of(layer.weights, target), *_product(layer), most_fold(layer, 1, target)
        )
        return tuple({"rows": tile.rows, "vectors": tile.vectors} for tile in tiles)

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Panels of [bias, then one row per (r, s, c)]."""
        ((w,), (b,)) = visited(layer, 1, constants)
        panels = _panels(layer, target)
        return pack_panels(panels, w.reshape(len(w), -1), b, layer.weights)

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """Panels."""
        return panels_bytes(_panels(layer, target), _product(layer)[2], layer.weights)

    def overlap(self, layer: Layer) -> dict[str, int]:
        """The residual is read at each place just before the output is written there."""
        return in_place(layer, "residual") if "residual" in layer.operands else {}

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """Division by rows or by panels."""
        del overwritten
        panels = split_panels(self.parameters(layer, target)["panels"], threads)
        candidates = [read_bytes(layer, split_rows(layer, threads)), read_bytes(layer, panels)]
        return cheapest(candidates, self.cost_of_call(layer, target))

    def loops(self, parameters: Mapping[str, Json], by: str) -> tuple[Loop, ...]:
        """Rows, or panels of outputs."""
        if by == "rows":
            return row_loop(parameters)
        return listed_loops(parameters["panels"], "channels") if by == "panels" else ()


def _product(layer: Layer) -> tuple[int, int, int]:
    """Pixels, outputs and inputs of the product that a row of the result is."""
    _, _, columns, outputs = layer.result.shape
    return columns, outputs, layer.operands["w"].elements // outputs


def _tile(layer: Layer, target: Target) -> Tile:
    if layer.choice is not None:
        return Tile(layer.choice["rows"], layer.choice["vectors"])
    return choose_tile(
        tiling_of(layer.weights, target), *_product(layer), most_fold(layer, 1, target)
    )


def _describe_taps(layer: Layer, columns: int) -> dict[str, Json]:
    """The inputs as of `describe_inputs`, but with the runs of all taps of a kernel row in a table.

    Each tap has `tap_numbers` numbers.
    """
    pitch = layer.layout("x").pitch
    inputs = describe_inputs(layer, 1)
    (table,) = input_runs(layer, 1)
    taps: list[Json] = [
        number if odd % 2 else number + s * pitch
        for s in range(columns)
        for odd, number in enumerate(table)
    ]
    return {**inputs, "x_runs": [taps] if inputs["x_runs"] else [], "tap_numbers": len(table)}


def _loads(layer: Layer, taps: int, target: Target) -> dict[str, Json]:
    """The loads of the inputs of `taps` neighbouring taps: one run if pixels are full."""
    layout = layer.layout("x")
    dense = layout.pitch == layout.channels
    return describe_loads([taps * layout.channels] if dense else run_lengths(layer, 1), target.f32)


def _part(layer: Layer) -> Part:
    (part,) = output_parts(layer, 1)
    return part


def _panels(layer: Layer, target: Target) -> list[Panel]:
    lengths, fold = _part(layer).lengths, most_fold(layer, 1, target)
    vectors = _tile(layer, target).vectors
    return cut_panels(lengths, target.f32.vector_widths, vectors, fold, target.f32.folds)
