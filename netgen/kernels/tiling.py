"""Vectors and register tiles of a processor, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Folds = Literal["none", "narrow", "all"]


@dataclass(frozen=True)
class TileCycles:
    """Cycles of a register tile beyond its multiply-adds: `netgen fit` measures them.

    `weights` for each vector of weights in each step of k, `store` for each accumulator and `tile`
    for each tile at its start and end.
    """

    weights: float = 0.0
    store: float = 2.0
    tile: float = 8.0


@dataclass(frozen=True)
class Tiling:
    """Vectors and register tiles of a processor, for loops over one element type.

    `vector_widths` are the vectors that templates may use, in elements, widest first. With
    `vector_types` they are registers, GNU vector types. Without, they are loops over arrays of that
    length, pure ISO C99, which compilers turn into whatever vectors the processor has.

    `tiles` are the register tiles (pixels, vectors of the widest width) that stay in registers with
    gcc and clang, as their assembly shows. `tile_cycles` are fitted if the target could be
    measured. `depthwise_unroll` is the number of neighbouring outputs that a depthwise kernel
    computes at once, of two rows if `depthwise_pairs` pay. With `winograd` convolutions may take
    that numeric form.

    `folds` says which vectors of outputs are sums of several inputs side by side (see `Panel`):
    those that are not full, or all. All are if spreading an input over a vector takes arithmetic,
    while several inputs come as they lie in memory; they have `folded_tiles`, whose vectors are
    registers.

    `tight_tiles` are for products of codes. They leave too few registers, so a pixel takes longer:
    they pay only where they compute fewer pixels behind the last one than other tiles do.

    Of codes a product adds up those of so many `inputs_at_once`, which are neighbours: bytes, which
    are signed or not. If it `saturates`, pairs of products are added up as int16, and weights say
    which inputs may be (`i8/product_groups.py`). `dot_cycles` are those of one such step for one
    vector of sums, `spread` those of one input of it. `pair_cycles` are those of one product of
    pairs of int16 and its sum; 0 if convolutions of codes do not take Winograd's form.

    `lanes_of_inputs` is the number of neighbouring inputs of a pixel that a tile loads at once, if
    instructions multiply a vector by one lane of another. It is 0 if each input is spread over a
    vector of its own. `spread` are the cycles of that without a load that does it; a multiply-add
    takes half a cycle. Of codes it is a number of groups that are loaded together.

    Compressed weights are widened once for all pixels of a tile, a vector of f16 or i8 in the first
    or second number of cycles of `widening`. They may have `widened_tiles` of more pixels as well.

    With `pixel_pairs` products of codes are those of four outputs at two pixels, without vectors;
    with `pairs_of_halves` two at once, of int16. With `dots` there are also products of 16 codes,
    whose sum goes to a register of the core.
    """

    vector_widths: tuple[int, ...] = ()
    vector_types: bool = False
    tiles: tuple[tuple[int, int], ...] = ()
    tight_tiles: tuple[tuple[int, int], ...] = ()
    depthwise_unroll: int = 1
    depthwise_pairs: bool = False
    winograd: bool = False
    folds: Folds = "none"
    folded_tiles: tuple[tuple[int, int], ...] = ()
    widened_tiles: tuple[tuple[int, int], ...] = ()
    widening: tuple[float, float] = (0.0, 0.0)
    tile_cycles: TileCycles = TileCycles()
    lanes_of_inputs: int = 0
    pixel_pairs: bool = False
    pairs_of_halves: bool = False
    dots: bool = False
    spread: float = 0.0
    inputs_at_once: int = 0
    signed_codes: bool = False
    saturates: bool = False
    dot_cycles: float = 0.5
    pair_cycles: float = 0.0

    def widened(self, weights: str) -> Tiling:
        """The same, for tiles of floats whose weights are compressed to f16 or i8."""
        cycles = self.tile_cycles.weights + self.widening[weights == "i8"]
        tiles = self.tiles + self.widened_tiles
        return replace(self, tiles=tiles, tile_cycles=replace(self.tile_cycles, weights=cycles))
