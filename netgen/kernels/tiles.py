"""Register tiles: how outputs are cut into panels of vectors, and pixels into rows of a tile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from netgen.kernels.layer import Json, Packed
from netgen.kernels.targets import Target


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


def describe_vectors(channels: int, target: Target) -> list[Json]:
    """Runs of equal vectors over exactly `channels`, as templates print them."""
    vectors: list[Json] = []
    first = 0
    for width, run in groupby(cut_vectors(channels, target.vector_widths)):
        end = first + width * len(list(run))
        lanes = width > 1 and not target.gnu_vectors
        vectors.append({"first": first, "end": end, "width": width, "lanes": lanes})
        first = end
    return vectors


@dataclass(frozen=True)
class Panel:
    """Some consecutive output channels, `first` the first, that one tile computes together.

    The vectors may hold more elements than there are `channels`: the last one is then padded. Its
    surplus is computed with weights of zero and never stored.
    """

    first: int
    channels: int
    widths: tuple[int, ...]

    @property
    def elements(self) -> int:
        """Floats of one packed row of the panel."""
        return sum(self.widths)


def cut_panels(channels: int, widths: tuple[int, ...], vectors: int) -> list[Panel]:
    """Panels of `vectors` vectors; the last one may be narrower, or padded."""
    cut = cover_vectors(channels, widths)
    panels, first = [], 0
    for at in range(0, len(cut), vectors):
        part = tuple(cut[at : at + vectors])
        panels.append(Panel(first, min(sum(part), channels - first), part))
        first += panels[-1].channels
    return panels


def cover_vectors(channels: int, widths: tuple[int, ...]) -> list[int]:
    """Vector widths that hold at least `channels`: the widest, then one for the rest.

    The rest takes the narrowest vector that holds it: one padded vector is sooner computed than
    several narrow ones.
    """
    count, rest = divmod(channels, widths[0])
    return [widths[0]] * count + [min(w for w in (*widths, 1) if w >= rest)] * (rest > 0)


def group_panels(panels: list[Panel]) -> Iterator[tuple[Panel, int]]:
    """Runs of panels with equal widths: the first of each run, and how many there are."""
    at = 0
    while at < len(panels):
        count = 1
        while at + count < len(panels) and _alike(panels[at + count], panels[at]):
            count += 1
        yield panels[at], count
        at += count


def _alike(a: Panel, b: Panel) -> bool:
    return (a.channels, a.widths) == (b.channels, b.widths)


def describe_panels(panels: list[Panel], target: Target) -> list[Json]:
    """The runs of panels as templates print them; `lanes` marks arrays in place of GNU vectors."""
    described: list[Json] = []
    for panel, count in group_panels(panels):
        vectors: list[Json] = []
        offset = 0
        for index, width in enumerate(panel.widths):
            lanes = width > 1 and not target.gnu_vectors
            stored = min(width, panel.channels - offset)
            vectors.append(
                {
                    "index": index,
                    "width": width,
                    "stored": stored,
                    "offset": offset,
                    "lanes": lanes,
                }
            )
            offset += width
        described.append(
            {
                "first": panel.first,
                "end": panel.first + count * panel.channels,
                "channels": panel.channels,
                "elements": panel.elements,
                "vectors": vectors,
                "lanes": not target.gnu_vectors and max(panel.widths) > 1,
                "splats": _repeated(panel.widths) if target.gnu_vectors else [],
            }
        )
    return described


def _repeated(widths: tuple[int, ...]) -> list[Json]:
    """Widths of several vectors, which then share a broadcast scalar."""
    return [width for width in dict.fromkeys(widths) if width > 1 and widths.count(width) > 1]


def pack_panels(panels: list[Panel], w: Packed, b: Packed) -> Packed:
    """W [outputs, k] and b [outputs] as panel after panel: the bias, then one row per k.

    Only the last panel may be padded (with zeros), so one that starts at channel o starts at
    element
    o * (k + 1).
    """
    rows = np.concatenate([b[:, None], w], axis=1)
    parts = []
    for panel in panels:
        part = np.zeros((rows.shape[1], panel.elements), np.float32)
        part[:, : panel.channels] = rows[panel.first : panel.first + panel.channels].T
        parts.append(part.ravel())
    return np.concatenate(parts)


@dataclass(frozen=True)
class Tile:
    """`rows` pixels by `vectors` vectors of accumulators, all in registers."""

    rows: int
    vectors: int


def choose_tile(target: Target, pixels: int, channels: int, k: int) -> Tile:
    """The legal tile with the least estimated time for a product of pixels x k by k x channels."""
    return min(_candidates(target), key=lambda tile: tile_cost(target, tile, pixels, channels, k))


def _candidates(target: Target) -> Iterator[Tile]:
    for most, vectors in target.tiles:
        for rows in range(most, 0, -1):
            yield Tile(rows, vectors)


def tile_cost(target: Target, tile: Tile, pixels: int, channels: int, k: int) -> float:
    """Cycles: two multiply-adds and two loads each cycle, a latency of four, stores at the end.

    A rest of pixels or vectors takes a smaller tile, and a body of its own in the code.
    """
    cut = len(cover_vectors(channels, target.vector_widths))
    cycles = 0.0
    for vectors, panels in ((tile.vectors, cut // tile.vectors), (cut % tile.vectors, 1)):
        for rows, count in ((tile.rows, pixels // tile.rows), (pixels % tile.rows, 1)):
            if vectors and rows and panels and count:
                step = max(0.5 * rows * vectors, 0.5 * (rows + vectors), 4.0)
                cycles += panels * count * (k * step + 2.0 * rows * vectors + 8.0)
    return cycles
