"""Moves of channels from pixel to pixel, for kernels that compute nothing."""

from __future__ import annotations

import numpy as np

from netgen.kernels.layer import Json
from netgen.kernels.layout import Places
from netgen.kernels.stretches import Stretch, places_of, stretches_of


def describe_zeros(to: Places) -> list[Json]:
    """Loops, as templates print them, that write zeros to some places of a pixel."""
    return [_describe(stretch, "") for stretch in stretches_of({"y": np.sort(to)})]


def describe_copies(to: Places, sources: Places, name: str) -> list[Json]:
    """Loops, as templates print them, that copy channels from `name` to places of a pixel.

    Places are visited in the order of `to` or of `sources`, whichever needs fewer loops: dealing
    out reads in order, collecting writes in order.
    """
    candidates = [
        stretches_of({"y": to[order], "x": sources[order]})
        for order in (np.argsort(to, kind="stable"), np.argsort(sources, kind="stable"))
    ]
    return [_describe(stretch, name) for stretch in min(candidates, key=len)]


def _describe(stretch: Stretch, name: str) -> dict[str, Json]:
    """`block` is whether neighbours are copied to neighbours; such have places of their own."""
    block = bool(name) and stretch.vectors and stretch.channels > 1
    places = places_of(stretch.lines, stretch.first, single=block or stretch.channels == 1)
    return {
        "first": stretch.first,
        "end": stretch.end,
        "channels": stretch.channels,
        "block": block,
        "name": name,
        **places,
    }
