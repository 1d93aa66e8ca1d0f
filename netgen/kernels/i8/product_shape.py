"""Products of codes, as kernels compute them: where windows wait, and which tiles go over them.

The windows of a block of rows are copied first. If a window is one pixel, those pixels stand one
after the other: the block is `flat`. Else whole rows of x do, with the border beside them, so that
each code is copied once whatever the window; the taps of one kernel row are then neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from netgen.kernels.layer import Layer
from netgen.kernels.products import run_lengths
from netgen.kernels.targets import Target
from netgen.kernels.tiles import Tile, diagonally
from netgen.kernels.tiling import Tiling
from netgen.ops.conv2d import Conv2d
from netgen.ops.window import Window

# Bytes of a cache line.
LINE = 64
# What a load takes beside the products of a step.
_LOAD = 0.05
# Pixels whose sums wait until they become codes.
_STRIP = 32
# Inputs of pixels that can be arranged are a multiple of this.
_ARRANGED = 8
# With more pixels weights are read so often that they need not come beforehand.
_FEW_PIXELS = 512


@dataclass(frozen=True)
class Shape:
    """A layer as a product: its window, the extents of image and result, inputs and outputs.

    Weights less their zero point may need nine bits: two bytes are then added up, in two `passes`.
    Tiles `load` so many inputs at once, and so read behind the last ones of a window. Sums of
    pairs of products may saturate (`saturates`). Codes are copied for each panel in an order of its
    own, if they are `arranged`.
    """

    window: Window
    image: tuple[int, int]
    result: tuple[int, int]
    inputs: int
    outputs: int
    group: int
    passes: int
    load: int
    saturates: bool
    arranged: bool = False

    @property
    def flat(self) -> bool:
        """Whether windows are single pixels of the image."""
        return self.window.size == (1, 1) and not any(self.window.pad)

    @property
    def taps(self) -> int:
        """Runs of inputs in a kernel row: one, if its taps are neighbours."""
        _, columns = self.window.size
        return columns if self.window.dilation[1] > 1 else 1

    @property
    def run(self) -> int:
        """The inputs of a run, up to a whole number of groups."""
        return -(-self.run_inputs // self.group) * self.group

    @property
    def run_inputs(self) -> int:
        """The inputs of a run."""
        return self.window.size[1] // self.taps * self.inputs

    @property
    def depth(self) -> int:
        """The weights of an output, of all passes, with what makes groups whole."""
        return self.passes * self.window.size[0] * self.taps * self.run

    @property
    def columns(self) -> int:
        """Columns that the windows of a row see, those between them and the border included."""
        reach = (self.window.size[1] - 1) * self.window.dilation[1] + 1
        return (self.result[1] - 1) * self.window.stride[1] + reach

    @property
    def row_step(self) -> int:
        """Codes from row to row of what is copied."""
        return self.inputs * (self.result[1] if self.flat else self.columns)

    @property
    def pixel_step(self) -> int:
        """Codes from window to window."""
        return self.inputs * (1 if self.flat else self.window.stride[1])

    @property
    def window_rows(self) -> int:
        """Rows from the first one to the last one of a window."""
        return (self.window.size[0] - 1) * self.window.dilation[0] + 1

    def copied_rows(self, rows: int) -> int:
        """The rows that are copied for so many rows of the result."""
        return rows if self.flat else (rows - 1) * self.window.stride[0] + self.window_rows

    def copied(self, rows: int, tile: int) -> int:
        """Codes that are copied for so many rows, and places that tiles read behind them."""
        return self.copied_rows(rows) * self.row_step + (tile - 1) * self.pixel_step + self.load

    def copied_bytes(self, rows: int, tile: int) -> int:
        """Their bytes, up to a whole word."""
        return -(-self.copied(rows, tile) // 4) * 4

    @property
    def weights(self) -> int:
        """Bytes of weights."""
        return self.depth * self.outputs

    def lines(self, rows: int) -> tuple[int, int]:
        """The number of lines that tiles go over in so many rows, and the pixels of each."""
        return (1, rows * self.result[1]) if self.flat else (rows, self.result[1])


def shape_of(layer: Layer, tiling: Tiling) -> Shape:
    """The product that a layer is."""
    x, y = layer.operands["x"], layer.result
    group = max(tiling.inputs_at_once, 1)
    if isinstance(layer.op, Conv2d):
        window = layer.op.window(layer.operands["w"].shape)
        image, result = x.shape[1:3], y.shape[1:3]
    else:
        window, image, result = Window((1, 1), (1, 1), (0, 0, 0, 0)), (1, 1), (1, 1)
    w = layer.operands["w"]
    passes = 1 if w.zero - w.element.low == 128 else 2
    shape = Shape(
        window,
        (image[0], image[1]),
        (result[0], result[1]),
        x.shape[-1],
        y.shape[-1],
        group,
        passes,
        group * max(tiling.lanes_of_inputs, 1),
        tiling.saturates,
    )
    arranged = tiling.saturates and shape.flat and shape.inputs % _ARRANGED == 0
    return replace(shape, arranged=arranged and is_joined(layer, shape))


def is_joined(layer: Layer, shape: Shape) -> bool:
    """Whether the inputs of all pixels of a row that are copied follow each other in x."""
    layout = layer.layout("x")
    dense = layout.pitch == layout.channels and len(run_lengths(layer, 1)) == 1
    return dense and (not shape.flat or shape.window.stride[1] == 1)


@dataclass(frozen=True)
class Work:
    """The way to compute a product: tiles, the rows of a block, and lines of weights to prefetch.

    A block's rows are copied together. Lines are fetched with each step of a tile.
    """

    tile: Tile
    block: int
    prefetch: int

    def strip(self, shape: Shape) -> int:
        """Pixels of neighbouring tiles whose sums become codes at once."""
        _, pixels = shape.lines(self.block)
        most = max(_STRIP // self.tile.rows, 1)
        return self.tile.rows * min(most, -(-pixels // self.tile.rows))


def ranked_work(shape: Shape, rows: int, target: Target, tiling: Tiling) -> list[Work]:
    """Ways to compute so many rows of a product, those with the least estimated time first."""
    tiles = {tile: work_cycles(shape, tile, rows, tiling) for tile in _tiles(shape, rows, tiling)}
    lines = _prefetched(shape, rows, target)
    return [
        Work(tile, block, lines if more else 1 - lines)
        for tile, (block, more) in diagonally(
            sorted(tiles, key=lambda tile: tiles[tile]),
            [(block, more) for more in (True, False) for block in _blocks(shape, rows, target)],
        )
    ]


def _tiles(shape: Shape, rows: int, tiling: Tiling) -> Iterator[Tile]:
    """Legal tiles: no wider than the outputs, and as high as divides pixels into equal ones."""
    vectors = -(-shape.outputs // tiling.vector_widths[0])
    _, pixels = shape.lines(rows)
    for most, width in tiling.tiles:
        yield Tile(_equal(pixels, most), min(width, vectors))
    for most, width in tiling.tight_tiles:
        others = [_computed(pixels, n) for n, other in tiling.tiles if other == width]
        if width <= vectors and _computed(pixels, most) < min(others):
            yield Tile(_equal(pixels, most), width)


def _equal(pixels: int, most: int) -> int:
    """The pixels of a tile, if at most so many are to be divided into equal ones."""
    return -(-pixels // -(-pixels // most))


def _computed(pixels: int, most: int) -> int:
    """The pixels that such tiles compute, those behind the last one included."""
    return -(-pixels // most) * _equal(pixels, most)


def _blocks(shape: Shape, rows: int, target: Target) -> list[int]:
    """Rows of a block: as many as stay near, but all of them if weights are too many to stay."""
    near = rows
    most = target.cache_l1 // 2 if shape.saturates else 2 * target.cache_l1
    while near > 1 and shape.copied_bytes(near, 1) > most:
        near = -(-near // 2)
    blocks = [near] if near == rows else [near, rows]
    return blocks[::-1] if shape.weights > target.cache_l2 // 4 else blocks


def _prefetched(shape: Shape, rows: int, target: Target) -> int:
    """One line, unless weights stay near, are read many times, or one pixel needs all of them."""
    pixels = rows * shape.result[1]
    far = shape.weights > target.cache_l1 and 1 < pixels < _FEW_PIXELS
    return int(target.processor.prefetch and far)


def work_cycles(shape: Shape, tile: Tile, rows: int, tiling: Tiling) -> float:
    """Estimated cycles: products, codes of sums, and copies."""
    lanes = tiling.vector_widths[0]
    lines, pixels = shape.lines(rows)
    tiles = lines * -(-pixels // tile.rows)
    vectors = -(-shape.outputs // lanes)
    cycles = 0.0
    for width, count in ((tile.vectors, vectors // tile.vectors), (vectors % tile.vectors, 1)):
        if width and count:
            products = tiling.dot_cycles * tile.rows * width + tiling.spread * tile.rows
            step = max(
                products + tiling.tile_cycles.weights * width,
                0.5 * (tile.rows + width),
                4.0 * tiling.dot_cycles,
            )
            step += _LOAD * (tile.rows + width)
            ends = tiling.tile_cycles.store * tile.rows * width + tiling.tile_cycles.tile
            cycles += tiles * count * (shape.depth // shape.group * step + ends)
    copies = -(-vectors // tile.vectors) if shape.arranged else 1
    return cycles + copies * shape.copied_rows(rows) * (shape.row_step / 16 + 8.0)


def work_of(layer: Layer, rows: int, target: Target, tiling: Tiling) -> Work:
    """The layer's own choice, or the best by estimate."""
    if layer.choice is not None:
        choice = layer.choice
        tile = Tile(choice["rows"], choice["vectors"])
        return Work(tile, min(choice["block"], rows), choice["prefetch"])
    return ranked_work(shape_of(layer, tiling), rows, target, tiling)[0]
