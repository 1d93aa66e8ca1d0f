"""Convolution 3x3 of codes with stride 1 by Winograd's minimal filtering F(4x4, 3x3), exactly.

A tile of 4 x 4 sums takes 36 products for each input and output in place of 144. Transforms and
products are whole numbers, modulo 2^32 where they are added up; `winograd_packing` says why sums
are those of the definition, bit for bit. So tiles may begin at any row: bands and parts of divided
calls have tiles of their own. Rows of x are copied as int16 first, with the border beside them, a
block of tiles is transformed, and panel by panel of outputs come products, sums and codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array
from netgen.kernels.geometry import describe_band, describe_extents, window_title
from netgen.kernels.i8.code_panels import describe_code_panels, scattered
from netgen.kernels.i8.product_packing import code_rows, lanes_in_all
from netgen.kernels.i8.product_shape import LINE, Shape, shape_of
from netgen.kernels.i8.requantisation import ROWS
from netgen.kernels.i8.sums import CODES, codes_title, describe_codes
from netgen.kernels.i8.winograd_packing import (
    MOST_INPUTS,
    OUTPUTS,
    POINTS,
    REACH,
    pack_winograd,
    packed_bytes,
    pairs_of_inputs,
    unpack_winograd,
)
from netgen.kernels.i8.winograd_work import (
    Grid,
    Places,
    Work,
    cycles,
    depth_of,
    grid_of,
    places_of,
    ranked_work,
    work_of,
)
from netgen.kernels.layer import ByRows, Choice, ElementsByLetter, Json, Kernel, Layer, Packed
from netgen.kernels.loops import listed_loops, row_loop
from netgen.kernels.panels import Transforms
from netgen.kernels.products import describe_inputs, describe_product_pitches
from netgen.kernels.split import Loop, Split, cheapest
from netgen.kernels.split_loops import read_bytes, rows_of_call, split_panels, split_rows
from netgen.kernels.targets import Target
from netgen.kernels.tiling import Tiling
from netgen.ops.conv2d import Conv2d


class WinogradI8(Kernel):
    """One group, 3x3, stride 1, undilated; any padding and layout; targets with pairs of int16."""

    name: ClassVar[str] = "winograd_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Conv2d,)
    numeric_form: ClassVar[str] = "codes"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    elements: ClassVar[ElementsByLetter] = {"": CODES, "b": frozenset({"i32"})}
    scratch_element: ClassVar[str] = "i32"
    weights_element: ClassVar[str] = "i32"
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"
    transforms_weights: ClassVar[bool] = True

    def accepts(self, layer: Layer) -> bool:
        """Whether the formula covers the layer, and its sums fit whatever the weights are."""
        op, w = layer.op, layer.operands["w"]
        if not isinstance(op, Conv2d) or op.groups > 1 or op.dilation != (1, 1):
            return False
        window = op.window(w.shape)
        bytes_ = w.zero - w.element.low == 128 and w.shape[3] <= MOST_INPUTS
        return "w" in layer.constant and bytes_ and (window.size, window.stride) == ((3, 3), (1, 1))

    def runs_on(self, target: Target) -> bool:
        """Targets that have products of pairs of int16."""
        return target.tiling("i8").pair_cycles > 0

    def title(self, layer: Layer) -> str:
        """Form, kernel, input and output shape."""
        assert isinstance(layer.op, Conv2d)
        name = f"winograd4_{codes_title(layer)}"
        return window_title(name, layer, layer.op.window, "", layer.op.activation or "none")

    def cost(self, layer: Layer, target: Target) -> float:
        """Cycles of the chosen blocks; of all bands together, each of whole tiles."""
        shape, tiling, rows = _parts(layer, target)
        work = work_of(layer, shape, rows, target, tiling)
        return cycles(shape, work, rows, target, tiling) * layer.result.shape[1] / rows

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Extents, what is copied, blocks of tiles, tiles of products, panels, places."""
        shape, tiling, rows = _parts(layer, target)
        work, grid = work_of(layer, shape, rows, target, tiling), grid_of(shape, rows)
        x, depth, lanes = layer.operands["x"], depth_of(shape, tiling), tiling.vector_widths[0]
        inputs, layout = describe_inputs(layer, 1), layer.layout("x")
        joined = not inputs["x_runs"] and layout.pitch == layout.channels == depth
        places = places_of(shape, work, grid, tiling, scattered=scattered(layer))
        return {
            **describe_extents(layer),
            **describe_band(layer),
            **describe_product_pitches(layer),
            **inputs,
            **describe_codes(layer),
            **_describe_copies(shape, grid),
            "joined": joined,
            "gap": 0 if joined else depth - shape.inputs,
            "codes": x.dtype,
            "result_codes": layer.result.dtype,
            "border": x.zero,
            "lanes": lanes,
            "depth": depth,
            "row_step": grid.row_pixels * depth,
            "pairs": pairs_of_inputs(shape),
            "scratch": self.scratch(layer, target),
            "scratch_words": self.scratch(layer, target) // 4,
            **_describe_work(work, grid),
            **_describe_places(places),
            "lanes_in_all": lanes_in_all(shape, tiling),
            "constant_rows": ROWS,
            "constant_words": ROWS * lanes_in_all(shape, tiling),
            **describe_code_panels(layer, shape.outputs, work.tile.vectors, lanes),
        }

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """Tiles of products, in blocks of `lines` rows of `across` tiles."""
        shape, tiling, rows = _parts(layer, target)
        return tuple(
            {
                "rows": work.tile.rows,
                "vectors": work.tile.vectors,
                "lines": work.lines,
                "across": work.across,
            }
            for work in ranked_work(shape, rows, target, tiling)
        )

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """See `winograd_packing`."""
        shape, tiling, rows = _parts(layer, target)
        vectors = work_of(layer, shape, rows, target, tiling).tile.vectors
        return pack_winograd(layer, shape, vectors, tiling, constants)

    def requantised(
        self, layer: Layer, target: Target, packed: Packed
    ) -> Sequence[tuple[Array, Packed]]:
        """All vectors of outputs."""
        shape, tiling, _ = _parts(layer, target)
        return code_rows(layer, shape, tiling, packed)

    def transforms(self, layer: Layer, target: Target, packed: Packed) -> Sequence[Transforms]:
        """All panels."""
        shape, tiling, rows = _parts(layer, target)
        vectors = work_of(layer, shape, rows, target, tiling).tile.vectors
        return unpack_winograd(layer, shape, vectors, tiling, packed)

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """Words, and 36 transformed weights for each pair of channels."""
        shape, tiling, _ = _parts(layer, target)
        return packed_bytes(shape, tiling)

    def scratch(self, layer: Layer, target: Target) -> int:
        """Sums and products of a panel, transforms of a block, and the copied rows.

        Each part of a divided call has its own, in cache lines of its own.
        """
        shape, tiling, rows = _parts(layer, target)
        work, grid = work_of(layer, shape, rows, target, tiling), grid_of(shape, rows)
        places = places_of(shape, work, grid, tiling, scattered=scattered(layer))
        return -(-4 * places.end // LINE) * LINE

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """Division by rows of tiles, or by panels, whose parts all transform the inputs."""
        del overwritten
        candidates = [
            read_bytes(layer, split_panels(self.parameters(layer, target)["panels"], threads))
        ]
        if rows_of_call(layer) > OUTPUTS:
            candidates.append(read_bytes(layer, split_rows(layer, threads, OUTPUTS)))
        return cheapest(candidates, self.cost_of_call(layer, target))

    def loops(self, parameters: Mapping[str, Json], by: str) -> tuple[Loop, ...]:
        """Rows, or panels of outputs."""
        if by == "rows":
            return row_loop(parameters)
        return listed_loops(parameters["panels"], "channels") if by == "panels" else ()


def _parts(layer: Layer, target: Target) -> tuple[Shape, Tiling, int]:
    """The convolution as a product, the target's vectors, and the rows of a call."""
    tiling = target.tiling(layer.operands["x"].dtype)
    return shape_of(layer, tiling), tiling, rows_of_call(layer)


def _describe_copies(shape: Shape, grid: Grid) -> dict[str, Json]:
    """The columns of a copied row: those left of the image, those of the image, those behind.

    The tiles see all of them. What no output needs must be codes, too: else transforms wrap.
    """
    window = shape.window
    left = min(window.pad[2], shape.columns)
    inside = max(min(shape.image[1], shape.columns - window.pad[2]), 0)
    return {
        "stride_rows": 1,
        "pad_top": window.pad[0],
        "left_columns": left,
        "image_columns": inside,
        "right_columns": grid.row_pixels - left - inside,
    }


def _describe_work(work: Work, grid: Grid) -> dict[str, Json]:
    """The block, its tiles of outputs, and the tile of products."""
    return {
        "points": POINTS,
        "block": OUTPUTS * work.lines,
        "tiles_across": grid.across,
        "across": work.across,
        "strip": OUTPUTS * work.across,
        "tile": work.tile.rows,
        "reach": REACH,
        "size": OUTPUTS,
    }


def _describe_places(places: Places) -> dict[str, Json]:
    """Words of scratch before its parts."""
    return {
        "sum_words": places.codes,
        "product_place": places.products,
        "input_place": places.transformed,
        "image_place": places.image,
        "product_pitch": places.product_pitch,
        "input_pitch": places.input_pitch,
    }
