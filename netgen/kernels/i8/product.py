"""Dense convolution and linear of codes: a register-tiled product over packed weights.

y[i][j][o] = code of (b[o] + sum over r, s, c of (x[i*u+r*d-p][j*v+s*e-q][c] - zero of x)
w[o][r][s][c]), where what is outside the image is the zero point. Windows are copied first, as the
dot product of the target takes them (`product_shape`). Sums are integers: no order, tile or layout
changes them. Inputs are visited in the order of their places in x, outputs in that of their places
in y.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array
from netgen.kernels.geometry import describe_band, window_title
from netgen.kernels.i8.code_panels import describe_code_panels, scattered
from netgen.kernels.i8.packed_panels import packed_panels
from netgen.kernels.i8.product_packing import (
    code_rows,
    lanes_in_all,
    order_words,
    pack_product,
    packed_words,
    panel_count,
    places_of_order,
    words_of_pairs,
)
from netgen.kernels.i8.product_shape import (
    LINE,
    Shape,
    Work,
    is_joined,
    ranked_work,
    shape_of,
    work_cycles,
    work_of,
)
from netgen.kernels.i8.requantisation import ROWS
from netgen.kernels.i8.sums import CODES, codes_title, describe_codes
from netgen.kernels.layer import ByRows, Choice, ElementsByLetter, Json, Kernel, Layer, Packed
from netgen.kernels.loops import listed_loops, row_loop
from netgen.kernels.panels import Panel
from netgen.kernels.products import describe_inputs, describe_product_pitches
from netgen.kernels.split import Loop, Split, cheapest
from netgen.kernels.split_loops import read_bytes, rows_of_call, split_panels, split_rows
from netgen.kernels.targets import Target
from netgen.kernels.tiling import Tiling
from netgen.ops.conv2d import Conv2d
from netgen.ops.linear import Linear
from netgen.ops.weighted import Weighted


class ProductI8(Kernel):
    """One group; any window, layout, padding and dilation; weights of any zero point but one."""

    name: ClassVar[str] = "product_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Conv2d, Linear)
    numeric_form: ClassVar[str] = "codes"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    elements: ClassVar[ElementsByLetter] = {"": CODES, "b": frozenset({"i32"})}
    scratch_element: ClassVar[str] = "i32"
    weights_element: ClassVar[str] = "i32"
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """One group of weights that one or two signed bytes hold, less their zero point."""
        op, w = layer.op, layer.operands["w"]
        groups = op.groups if isinstance(op, Conv2d) else 1
        return groups == 1 and w.zero > w.element.low and "w" in layer.constant

    def runs_on(self, target: Target) -> bool:
        """Targets that have products of codes."""
        return target.tiling("i8").inputs_at_once > 0

    def title(self, layer: Layer) -> str:
        """Kernel, stride, input and output shape."""
        x, y, op, types = layer.operands["x"], layer.result, layer.op, codes_title(layer)
        assert isinstance(op, Weighted)
        act = layer.op.activation or "none"
        if isinstance(op, Conv2d):
            return window_title(f"conv2d_{types}", layer, op.window, "", act)
        end = "" if act == "none" else f"_{act}"
        return f"linear_{types}_{x.shape[-1]}x{y.shape[-1]}{end}"

    def cost(self, layer: Layer, target: Target) -> float:
        """Cycles of the chosen tile; of all bands together."""
        shape, tiling, rows = _parts(layer, target)
        own = work_cycles(shape, work_of(layer, rows, target, tiling).tile, rows, tiling)
        return own * layer.result.shape[1] / rows if layer.band else own

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window, what is copied, tiles, panels, runs of inputs and pieces of outputs."""
        shape, tiling, rows = _parts(layer, target)
        work = work_of(layer, rows, target, tiling)
        x = layer.operands["x"]
        lanes = tiling.vector_widths[0]
        inputs = describe_inputs(layer, 1)
        return {
            **_describe_shape(shape),
            **describe_band(layer),
            **describe_product_pitches(layer),
            **inputs,
            "joined": is_joined(layer, shape),
            "arranged": shape.arranged,
            "arranged_places": places_of_order(shape, tiling),
            **describe_codes(layer),
            "codes": x.dtype,
            "result_codes": layer.result.dtype,
            "group": shape.group,
            "lanes": lanes,
            "border": x.zero,
            **_describe_work(shape, work),
            **_describe_constants(shape, work, tiling),
            "scratch": self.scratch(layer, target),
            "scratch_words": self.scratch(layer, target) // 4,
            **_places(shape, work, tiling, scattered=scattered(layer)),
            **describe_code_panels(layer, shape.outputs, work.tile.vectors, lanes),
        }

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """Tiles of `rows` by `vectors`, in blocks of rows of the result."""
        shape, tiling, rows = _parts(layer, target)
        return tuple(
            {
                "rows": work.tile.rows,
                "vectors": work.tile.vectors,
                "block": work.block,
                "prefetch": work.prefetch,
            }
            for work in ranked_work(shape, rows, target, tiling)
        )

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """See `product_packing`."""
        shape, tiling, rows = _parts(layer, target)
        tile = work_of(layer, rows, target, tiling).tile
        return pack_product(layer, shape, tile, tiling, constants)

    def requantised(
        self, layer: Layer, target: Target, packed: Packed
    ) -> Sequence[tuple[Array, Packed]]:
        """All vectors of outputs."""
        shape, tiling, _ = _parts(layer, target)
        return code_rows(layer, shape, tiling, packed)

    def panels(self, layer: Layer, target: Target, packed: Packed) -> Sequence[Panel]:
        """All panels: weights say which products are added up in int16."""
        shape, tiling, rows = _parts(layer, target)
        tile = work_of(layer, rows, target, tiling).tile
        return packed_panels(layer, shape, tile, tiling, packed)

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """Words and weights."""
        shape, tiling, rows = _parts(layer, target)
        tile = work_of(layer, rows, target, tiling).tile
        return 4 * packed_words(shape, tile, tiling)

    def scratch(self, layer: Layer, target: Target) -> int:
        """The sums of a strip, its codes if they are scattered, and the copied windows.

        Each part of a divided call has its own, in cache lines of its own.
        """
        shape, tiling, rows = _parts(layer, target)
        work = work_of(layer, rows, target, tiling)
        before = _places(shape, work, tiling, scattered=scattered(layer))["words_before"]
        assert isinstance(before, int)
        size = 4 * before + shape.copied_bytes(work.block, work.tile.rows)
        return -(-size // LINE) * LINE

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """Division by rows or by panels."""
        del overwritten
        panels = split_panels(self.parameters(layer, target)["panels"], threads)
        candidates = [read_bytes(layer, panels)]
        if rows_of_call(layer) > 1 and isinstance(layer.op, Conv2d):
            candidates.append(read_bytes(layer, split_rows(layer, threads)))
        return cheapest(candidates, self.cost_of_call(layer, target))

    def loops(self, parameters: Mapping[str, Json], by: str) -> tuple[Loop, ...]:
        """Rows, or panels of outputs."""
        if by == "rows":
            return row_loop(parameters)
        return listed_loops(parameters["panels"], "channels") if by == "panels" else ()


def _parts(layer: Layer, target: Target) -> tuple[Shape, Tiling, int]:
    """The product that a layer is, the target's vectors, and the rows of a call."""
    tiling = target.tiling(layer.operands["x"].dtype)
    rows = rows_of_call(layer) if isinstance(layer.op, Conv2d) else 1
    return shape_of(layer, tiling), tiling, rows


def _describe_shape(shape: Shape) -> dict[str, Json]:
    """Extents and steps."""
    window = shape.window
    seen = shape.columns - window.pad[2]
    inside = max(min(shape.image[1], seen), 0)
    left = min(window.pad[2], shape.columns)
    return {
        "height": shape.image[0],
        "width": shape.image[1],
        "channels": shape.inputs,
        "out_height": shape.result[0],
        "out_width": shape.result[1],
        "outputs": shape.outputs,
        "kernel_rows": window.size[0],
        "taps": shape.taps,
        "passes": shape.passes,
        "stride_rows": window.stride[0],
        "stride_columns": window.stride[1],
        "pad_top": window.pad[0],
        "dilation_rows": window.dilation[0],
        "dilation_columns": window.dilation[1],
        "window_rows": shape.window_rows,
        "flat": shape.flat,
        "left_columns": left,
        "image_columns": inside,
        "right_columns": shape.columns - left - inside,
        "run_length": shape.run,
        "depth": shape.depth,
        "row_step": shape.row_step,
        "pixel_step": shape.pixel_step,
    }


def _describe_work(shape: Shape, work: Work) -> dict[str, Json]:
    """The tile, what of a run it loads at once, and the pixels whose sums become codes at once."""
    return {
        "tile": work.tile.rows,
        "block": work.block,
        "prefetch": work.prefetch if shape.run >= shape.load else 0,
        "strip": work.strip(shape),
        "whole_strips": shape.result[1] % work.strip(shape) == 0,
        "loaded": shape.run // shape.load * shape.load,
        "rest": shape.run % shape.load // shape.group,
        "load": shape.load,
        "saturates": shape.saturates,
    }


def _describe_constants(shape: Shape, work: Work, tiling: Tiling) -> dict[str, Json]:
    """Words of the packed constants."""
    return {
        "pair_words": words_of_pairs(shape),
        "order_words": order_words(shape, tiling),
        "panel_count": panel_count(shape, work.tile, tiling),
        "lanes_in_all": lanes_in_all(shape, tiling),
        "constant_rows": ROWS,
        "constant_words": ROWS * lanes_in_all(shape, tiling),
    }


def _places(shape: Shape, work: Work, tiling: Tiling, *, scattered: bool) -> dict[str, Json]:
    """Words of scratch: the sums of a strip, and where codes and what is copied begin."""
    words = work.strip(shape) * work.tile.vectors * tiling.vector_widths[0]
    codes = -(-words // 64) * 16 if scattered else 0
    return {
        "sum_words": words,
        "words_before": words + codes,
    }
