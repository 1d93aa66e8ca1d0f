"""Register tiles: how outputs are cut into panels of vectors, and pixels into rows of a tile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TypeVar

import numpy as np

from netgen.kernels.compressed import PLAIN_WEIGHTS, compress, compressed_bytes, joined
from netgen.kernels.layer import Json, Packed
from netgen.kernels.layout import Span
from netgen.kernels.targets import Target
from netgen.kernels.tiling import Folds, Tiling

# Bytes a cycle from the third-level cache.
_STREAM = 4.0

Item = TypeVar("Item")
Other = TypeVar("Other")


def cut_vectors(channels: int, widths: tuple[int, ...]) -> list[int]:
    """Vector widths that add up to exactly `channels`: as many of the widest, then the rest.

    For kernels that read and write the same channels; a rest narrower than the narrowest vector is
    computed with scalars (width 1).
    """
    cut: list[int] = []
    for width in (*widths, 1):
        count, channels = divmod(channels, width)
        cut += [width] * count
    return cut


@dataclass(frozen=True)
class Panel:
    """Some consecutive output channels, `first` the first, that one tile computes together.

    The vectors may hold more elements than there are `channels`: some are then padded. The surplus
    is computed with weights of zero and never stored. `filled` says how many channels each vector
    holds; where it is empty, as many as it has elements. With a `fold` accumulators are so many
    times as wide as the vectors: neighbours are the sums of one channel over every fold-th input,
    the first from input 0 on, the next from input 1 on. What is wider than the target's vectors
    takes several registers.
    """

    first: int
    channels: int
    widths: tuple[int, ...]
    filled: tuple[int, ...] = ()
    fold: int = 1

    @property
    def elements(self) -> int:
        """Floats of one packed row of the panel."""
        return sum(self.widths)

    def vectors(self) -> Iterator[tuple[int, int, int]]:
        """Each vector: its start in a packed row, its elements, its channels."""
        offset = 0
        for width, filled in zip(self.widths, self.filled or self.widths, strict=True):
            yield offset, width, filled
            offset += width


def cut_panels(
    lengths: Sequence[int],
    widths: tuple[int, ...],
    vectors: int,
    most_fold: int = 1,
    folds: Folds = "narrow",
) -> list[Panel]:
    """Panels of at most `vectors` vectors over runs of so many channels.

    Vectors narrower than the widest are folded as often as fills them, up to `most_fold`; where
    all are, so often. Those that are folded have panels of their own: with both kinds in one loop
    compilers run out of registers.
    """
    panels, first = [], 0
    cut = cover_runs(lengths, widths)
    for fold, alike in groupby(cut, lambda vector: _fold(widths, vector[0], most_fold, folds)):
        several = list(alike)
        for at in range(0, len(several), vectors):
            width, filled = zip(*several[at : at + vectors], strict=True)
            panels.append(Panel(first, sum(filled), width, filled, fold))
            first += panels[-1].channels
    return panels


def _fold(widths: tuple[int, ...], width: int, most: int, folds: Folds) -> int:
    """The fold of a vector of `width` elements."""
    return most if folds == "all" else min(widths[0] // width, most)


def cover_runs(lengths: Sequence[int], widths: tuple[int, ...]) -> list[tuple[int, int]]:
    """Vectors (elements, channels) over runs of channels that stand apart from each other.

    Each run by itself where that takes no more vectors; else vectors go on from run to run.
    """
    aligned = [vector for channels in lengths for vector in cover_vectors(channels, widths)]
    joined = cover_vectors(sum(lengths), widths)
    return aligned if len(aligned) <= len(joined) else joined


def cover_vectors(channels: int, widths: tuple[int, ...]) -> list[tuple[int, int]]:
    """Vectors (elements, channels): the widest, then one for the rest.

    The rest takes the narrowest vector that holds it: one padded vector is sooner computed than
    several narrow ones. Never a scalar: gcc may vectorise a sum of scalars along k, and then does
    not fuse its multiply-adds, so its bits would depend on the loop around it.
    """
    count, rest = divmod(channels, widths[0])
    narrow = [(min(w for w in widths if w >= rest), rest)] if rest else []
    return [(widths[0], widths[0])] * count + narrow


def describe_panels(
    panels: Sequence[Panel], spans: Sequence[Span], tiling: Tiling, *, scattered: bool
) -> list[Json]:
    """Runs of equal panels as templates print them; `lanes` marks arrays in place of GNU vectors.

    The C counts outputs with `o`; `surplus` are the packed elements before a panel that are more
    than these, and a vector's places in `y` and in the residual count from there. Vectors that are
    not stored as a whole go through memory; where outputs are `scattered`, in aligned pieces.
    """
    aligned = scattered and tiling.vector_types
    described: list[dict[str, Json]] = []
    surplus = 0
    for panel in panels:
        end = panel.first + panel.channels
        found: dict[str, Json] = {
            "channels": panel.channels,
            "elements": panel.elements,
            "surplus": surplus,
            "vectors": _describe_vectors(panel, spans, tiling, aligned=aligned),
            "lanes": not tiling.vector_types and max(panel.widths) > 1,
            "fold": panel.fold,
            "splats": _repeated(panel, tiling) if tiling.vector_types else [],
        }
        if described and found.items() <= described[-1].items():
            described[-1]["end"] = end
        else:
            described.append({"first": panel.first, "end": end, **found})
        surplus += panel.elements - panel.channels
    return [*described]


def _describe_vectors(
    panel: Panel, spans: Sequence[Span], tiling: Tiling, *, aligned: bool
) -> list[Json]:
    vectors: list[Json] = []
    start, register = panel.first, 0
    for index, (offset, width, filled) in enumerate(panel.vectors()):
        pieces: list[Json] = [
            {"lane": lane, "channels": channels, **{a: p - panel.first for a, p in places.items()}}
            for lane, channels, places in _pieces(spans, start, filled, aligned=aligned)
        ]
        count = _registers(panel, width, tiling)
        vectors.append(
            {
                "index": index,
                "width": width,
                "registers": [*range(register, register + count)],
                "register": width * panel.fold // count,
                "offset": offset,
                "lanes": width > 1 and not tiling.vector_types,
                "whole": len(pieces) == 1 and filled == width,
                "pieces": pieces,
            }
        )
        start += filled
        register += count
    return vectors


def _registers(panel: Panel, width: int, tiling: Tiling) -> int:
    """The number of registers for the accumulators of one vector."""
    return max(width * panel.fold // tiling.vector_widths[0], 1)


def _pieces(
    spans: Sequence[Span], start: int, channels: int, *, aligned: bool
) -> Iterator[tuple[int, int, dict[str, int]]]:
    """First lane, lanes and places of what stands side by side of the channels from `start` on.

    With `aligned` pieces are powers of two that start at multiples of themselves: processors hold
    up loads of what was just stored where they straddle halves of it, as gcc's copies of 13 do.
    """
    for span in spans:
        lane = max(span.start - start, 0)
        end = min(span.start + span.channels - start, channels)
        while lane < end:
            count = end - lane
            if aligned:
                count = 1 << (count.bit_length() - 1)
                while lane % count:
                    count //= 2
            shift = start + lane - span.start
            yield lane, count, {a: place + shift for a, place in span.first.items()}
            lane += count


def _repeated(panel: Panel, tiling: Tiling) -> list[Json]:
    """Widths of several registers, which then share the inputs that are spread over one."""
    widths = []
    for width in panel.widths:
        count = _registers(panel, width, tiling)
        widths += [width * panel.fold // count] * count
    return [width for width in dict.fromkeys(widths) if width > 1 and widths.count(width) > 1]


def pack_panels(
    panels: Sequence[Panel], w: Packed, b: Packed, weights: str = PLAIN_WEIGHTS
) -> Packed:
    """W [outputs, k] and b [outputs] as panel after panel: the bias, then one row per k.

    Of compressed `weights` a scale may follow the bias. Lanes that hold no channel are zeros. A
    folded panel has one row per `fold` inputs, where those of one channel are neighbours; k is a
    multiple of the fold.
    """
    stored, reals = compress(weights, w, b)
    parts = []
    for panel in panels:
        rows = np.zeros((stored.shape[1], panel.elements), stored.dtype)
        head = np.zeros((len(reals), panel.elements), reals.dtype)
        start = panel.first
        for offset, _, filled in panel.vectors():
            rows[:, offset : offset + filled] = stored[start : start + filled].T
            head[:, offset : offset + filled] = reals[:, start : start + filled]
            start += filled
        folded = rows.reshape(-1, panel.fold, panel.elements).transpose(0, 2, 1)
        parts.append((head.ravel(), folded.ravel()))
    return joined(weights, parts)


def panels_bytes(panels: Sequence[Panel], k: int, weights: str = PLAIN_WEIGHTS) -> int:
    """Bytes of what `pack_panels` gives for k inputs."""
    return compressed_bytes(weights, sum(panel.elements for panel in panels), k)


@dataclass(frozen=True)
class Tile:
    """`rows` pixels by `vectors` vectors of accumulators, all in registers."""

    rows: int
    vectors: int


@lru_cache(maxsize=4096)
def choose_tile(tiling: Tiling, pixels: int, channels: int, k: int, most_fold: int = 1) -> Tile:
    """The legal tile with the least estimated time for a product of pixels x k by k x channels."""
    return min(
        _candidates(tiling, most_fold),
        key=lambda tile: tile_cost(tiling, tile, pixels, channels, k, most_fold),
    )


def ranked_tiles(
    tiling: Tiling, pixels: int, channels: int, k: int, most_fold: int = 1
) -> list[Tile]:
    """The legal tiles for such a product, those with the least estimated time first.

    Of tiles that come to the same, since the product is smaller, only the first.
    """
    cut = len(cover_vectors(channels, tiling.vector_widths))
    # A folded vector stands alone, whatever the tile.
    beside = max(cut - (_folded_rest(tiling, channels, most_fold) > 1), 1)
    found: dict[Tile, tuple[float, Tile]] = {}
    for tile in _candidates(tiling, most_fold):
        cost = tile_cost(tiling, tile, pixels, channels, k, most_fold)
        found.setdefault(Tile(min(tile.rows, pixels), min(tile.vectors, beside)), (cost, tile))
    return [tile for _, tile in sorted(found.values(), key=lambda pair: pair[0])]


def diagonally(first: Sequence[Item], second: Sequence[Other]) -> Iterator[tuple[Item, Other]]:
    """All pairs of what is best of two rankings, by the sum of their places."""
    for total in range(len(first) + len(second) - 1):
        for place in range(min(total, len(first) - 1) + 1):
            if total - place < len(second):
                yield first[place], second[total - place]


def _candidates(tiling: Tiling, most_fold: int) -> Iterator[Tile]:
    """Legal tiles."""
    parts = _parts(tiling, most_fold)
    for most, registers in tiling.folded_tiles if parts > 1 else tiling.tiles:
        for rows in range(most, 0, -1):
            yield Tile(rows, registers // parts)


def _parts(tiling: Tiling, most_fold: int) -> int:
    """Registers that the accumulators of a full vector take."""
    return most_fold if tiling.folds == "all" else 1


def _folded_rest(tiling: Tiling, channels: int, most_fold: int) -> int:
    """The fold of the last vector of so many channels, where the others have none."""
    if tiling.folds == "all":
        return 1
    last, _ = cover_vectors(channels, tiling.vector_widths)[-1]
    return min(tiling.vector_widths[0] // last, most_fold)


def stream_cost(target: Target, weights: int) -> float:
    """Cycles in which so many bytes of weights arrive, if the second-level cache lacks them."""
    return weights / _STREAM if weights > target.cache_l2 else 0.0


def tile_cost(
    tiling: Tiling, tile: Tile, pixels: int, channels: int, k: int, most_fold: int = 1
) -> float:
    """Cycles: two multiply-adds and two loads each cycle, a latency of four; what was fitted.

    A rest of pixels or vectors takes a smaller tile, and a body of its own in the code; so does a
    vector that is folded, with fewer steps.
    """
    fold, parts = _folded_rest(tiling, channels, most_fold), _parts(tiling, most_fold)
    alike = len(cover_vectors(channels, tiling.vector_widths)) - (fold > 1)
    panels = [
        (tile.vectors * parts, alike // tile.vectors, k // parts),
        (alike % tile.vectors * parts, 1, k // parts),
        (1, int(fold > 1), k // fold),
    ]
    fitted, spread = tiling.tile_cycles, tiling.spread if parts == 1 else 0.0
    cycles = 0.0
    for registers, number, steps in panels:
        for rows, count in ((tile.rows, pixels // tile.rows), (pixels % tile.rows, 1)):
            if registers and rows and number and count:
                products = rows * (0.5 * registers + spread)
                step = max(products, 0.5 * (rows + registers), 4.0)
                step += fitted.weights * registers
                ends = fitted.store * rows * registers + fitted.tile
                cycles += number * count * (steps * step + ends)
    return cycles
