"""Two regions of RAM: what is touched most often for its size goes into the fast one.

Offsets below the fast region's size are in it, those from there on in the slow one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netgen.plan.arena.overlap import Merged
from netgen.plan.arena.placement import best_offsets
from netgen.plan.arena.shapes import Shape, extent
from netgen.plan.arena.state_places import state_bytes
from netgen.plan.data.alignment import round_up
from netgen.plan.segments.cut_schedule import Banded
from netgen.plan.segments.waiting_rows import call_height


@dataclass(frozen=True)
class Regions:
    """The bytes of a fast and a slow region of RAM."""

    fast: int
    slow: int

    @property
    def bytes(self) -> int:
        """Both together."""
        return self.fast + self.slow


@dataclass(frozen=True)
class Placement:
    """An offset for every shape, and how many bytes of the arena are in the fast region.

    Both count from behind the states.
    """

    offsets: tuple[int, ...]
    fast_bytes: int


def place_in_regions(
    banded: Banded, merged: Sequence[Merged], regions: Regions, alignment: int
) -> Placement | None:
    """Fill the fast region with the hottest shapes that fit; None where the rest is too large.

    States are in it before.
    """
    heat = _heat(banded)
    capacity = regions.fast - state_bytes(banded.schedule.buffers.values(), alignment)
    if capacity < 0:
        return None
    ranked = sorted(range(len(merged)), key=lambda n: (-_density(merged[n], heat), n))
    fast: list[int] = []
    for index in ranked:
        shapes = [merged[n].shape for n in (*fast, index)]
        if round_up(extent(shapes, best_offsets(shapes)), alignment) <= capacity:
            fast.append(index)
    slow = [n for n in range(len(merged)) if n not in fast]
    offsets = [0] * len(merged)
    size = round_up(_place(merged, fast, 0, offsets), alignment)
    end = _place(merged, slow, size, offsets)
    return Placement(tuple(offsets), size) if end - size <= regions.slow else None


def _place(merged: Sequence[Merged], chosen: Sequence[int], base: int, offsets: list[int]) -> int:
    """Place some shapes from `base` on; returns where they end."""
    shapes: list[Shape] = [merged[n].shape for n in chosen]
    for n, offset in zip(chosen, best_offsets(shapes), strict=True):
        offsets[n] = base + offset
    return base + extent(shapes, [offsets[n] - base for n in chosen])


def _density(merged: Merged, heat: Mapping[str, float]) -> float:
    """Bytes read and written of a shape's buffers, for each byte that they take."""
    return sum(heat[name] for name in merged.offsets) / max(merged.shape.bytes, 1)


def _heat(banded: Banded) -> dict[str, float]:
    """The bytes that one inference writes and reads, by buffer; windows read rows repeatedly.

    Of scratch only what bands leave there for each other.
    """
    schedule = banded.schedule
    heat = dict.fromkeys(schedule.buffers, 0.0)
    for call, rows in zip(schedule.calls, banded.rows, strict=True):
        if call.kernel.keeps_scratch and call.scratch in heat:
            between = call_height(call) // rows - 1
            heat[call.scratch] = 2.0 * schedule.buffers[call.scratch].bytes * between
        heat[schedule.home(call.node.name).name] += call.layer.result.bytes
        for letter, value in call.reads.items():
            reach = schedule.reach(call, letter)
            times = 1.0 if reach is None else max(reach.size * reach.step / reach.stride, 1.0)
            heat[schedule.home(value).name] += schedule.values[value].type.bytes * times
    return heat
