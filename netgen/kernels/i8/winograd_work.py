"""The ways of Winograd's convolution of codes: tiles, blocks, and their estimated cycles.

Tiles of 4 by 4 outputs are taken in blocks: `lines` rows of tiles, `across` tiles of each. Products
are those of `tile.rows` tiles of outputs and `tile.vectors` vectors of sums at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from netgen.kernels.i8.product_shape import Shape
from netgen.kernels.i8.winograd_packing import OUTPUTS, POINTS, REACH, packed_bytes, pairs_of_inputs
from netgen.kernels.layer import Layer
from netgen.kernels.targets import Target
from netgen.kernels.tiles import Tile, stream_cost
from netgen.kernels.tiling import Tiling

# Between the transforms of two points, in bytes: else they would meet in one set of the caches.
_SKEW = 64
# Tiles of a block whose weights stay near.
_NEAR = 16
# Measured cycles of the transforms of one vector of inputs and one of sums of a tile, by the sums
# of a vector; and what makes codes of one vector of sums.
_TRANSFORMS = {8: (115.0, 85.0), 16: (200.0, 170.0)}
_CODES = 3.0
# What a load takes beside the products of a step, and a tile at its start and end.
_LOAD, _TILE = 0.1, 4.0
# Weights are eight times those of the direct form: where they are far, that must pay.
_FAR = 1.25


@dataclass(frozen=True)
class Grid:
    """The tiles of outputs of a call: their rows and columns."""

    down: int
    across: int

    @property
    def row_pixels(self) -> int:
        """Pixels of a copied row."""
        return OUTPUTS * self.across + REACH - OUTPUTS


def grid_of(shape: Shape, rows: int) -> Grid:
    """The tiles that cover so many rows."""
    return Grid(-(-rows // OUTPUTS), -(-shape.result[1] // OUTPUTS))


@dataclass(frozen=True)
class Work:
    """Tiles of products, and the rows and columns of tiles in a block."""

    tile: Tile
    lines: int
    across: int

    @property
    def most(self) -> int:
        """Tiles of a block, up to whole tiles of products."""
        return -(-self.lines * self.across // self.tile.rows) * self.tile.rows


@dataclass(frozen=True)
class Places:
    """The words of scratch where its parts begin, and the pitches of points.

    Sums come first, then codes of panels that are scattered, products of a panel, transformed
    inputs, and what is copied. Products are `product_pitch` words apart, inputs `input_pitch`
    numbers of 16 bits.
    """

    codes: int
    products: int
    transformed: int
    image: int
    end: int
    product_pitch: int
    input_pitch: int


def depth_of(shape: Shape, tiling: Tiling) -> int:
    """Inputs of a copied pixel, up to whole vectors of int16."""
    width = 2 * tiling.vector_widths[0]
    return -(-shape.inputs // width) * width


def places_of(shape: Shape, work: Work, grid: Grid, tiling: Tiling, *, scattered: bool) -> Places:
    """The places for a block of the largest size; parts begin on cache lines."""
    width, depth = work.tile.vectors * tiling.vector_widths[0], depth_of(shape, tiling)
    sums = OUTPUTS * work.lines * OUTPUTS * work.across * width
    codes = _lines(OUTPUTS * work.across * width) // 4 if scattered else 0
    product_pitch, input_pitch = work.most * width + _SKEW // 4, work.most * depth + _SKEW // 2
    copied = (OUTPUTS * work.lines + REACH - OUTPUTS) * grid.row_pixels * depth
    products = _lines(4 * (sums + codes)) // 4
    transformed = products + _lines(4 * POINTS * product_pitch) // 4
    image = transformed + _lines(2 * POINTS * input_pitch) // 4
    end = image + _lines(2 * copied) // 4
    return Places(sums, products, transformed, image, end, product_pitch, input_pitch)


def _lines(count: int) -> int:
    """So many bytes, up to whole cache lines."""
    return -(-count // 64) * 64


def ranked_work(shape: Shape, rows: int, target: Target, tiling: Tiling) -> list[Work]:
    """Ways to compute so many rows, those with the least estimated time first."""
    grid = grid_of(shape, rows)
    works = [
        Work(tile, lines, across)
        for lines, across in _blocks(shape, grid, target, tiling)
        for tile in _tiles(shape, lines * across, tiling)
    ]
    return sorted(dict.fromkeys(works), key=lambda work: cycles(shape, work, rows, target, tiling))


def _tiles(shape: Shape, count: int, tiling: Tiling) -> Iterator[Tile]:
    """Legal tiles: no wider than the outputs, and as high as divides a block into equal ones."""
    vectors = -(-shape.outputs // tiling.vector_widths[0])
    for most, width in tiling.tiles:
        yield Tile(-(-count // -(-count // most)), min(width, vectors))


def _blocks(shape: Shape, grid: Grid, target: Target, tiling: Tiling) -> list[tuple[int, int]]:
    """Rows and columns of tiles whose transforms stay near; more where weights are far."""
    weights, inputs = packed_bytes(shape, tiling), 2 * POINTS * depth_of(shape, tiling)
    most = max(target.cache_l2 // 4 // inputs, 8)
    if weights <= target.cache_l1:
        most = min(most, _NEAR)
    elif weights > target.cache_l2:
        most = max(2 * target.cache_l2 // inputs, _NEAR)
    found = []
    for count in (most, max(most // 2, 1)):
        lines = max(min(count // grid.across, grid.down), 1)
        lines = -(-grid.down // -(-grid.down // lines))
        found.append((lines, -(-grid.across // -(-grid.across // count))))
    return [*dict.fromkeys(found)]


def cycles(shape: Shape, work: Work, rows: int, target: Target, tiling: Tiling) -> float:
    """Estimated cycles: products or the weights that stream in, transforms, codes, copies."""
    grid, lanes = grid_of(shape, rows), tiling.vector_widths[0]
    vectors, height, width = -(-shape.outputs // lanes), work.tile.rows, work.tile.vectors
    blocks = -(-grid.down // work.lines) * -(-grid.across // work.across)
    tiles = grid.down * grid.across
    steps = blocks * (work.most // height) * POINTS * pairs_of_inputs(shape)
    products = float(steps // pairs_of_inputs(shape)) * vectors * (height + _TILE)
    for registers, count in ((width, vectors // width), (vectors % width, 1)):
        if registers and count:
            step = max(tiling.pair_cycles * height * registers, 0.5 * (height + registers))
            products += count * steps * (step + _LOAD * (height + registers))
    weights = _FAR * blocks * stream_cost(target, packed_bytes(shape, tiling))
    of_inputs, of_sums = _TRANSFORMS[lanes]
    transforms = tiles * (of_inputs * depth_of(shape, tiling) / (2 * lanes) + of_sums * vectors)
    codes = rows * shape.result[1] * vectors * _CODES
    copied = (rows + 2.0 * -(-grid.down // work.lines)) * grid.row_pixels
    return max(products, weights) + transforms + codes + copied * depth_of(shape, tiling) / lanes


def work_of(layer: Layer, shape: Shape, rows: int, target: Target, tiling: Tiling) -> Work:
    """The layer's own choice, or the best by estimate."""
    if layer.choice is not None:
        choice, grid = layer.choice, grid_of(shape, rows)
        lines, across = min(choice["lines"], grid.down), min(choice["across"], grid.across)
        return Work(Tile(choice["rows"], choice["vectors"]), lines, across)
    return ranked_work(shape, rows, target, tiling)[0]
