"""Schedules cut into segments at random, with bands of any height."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from netgen.ir.graph import Graph
from netgen.kernels.targets import Target
from netgen.plan.build import assemble
from netgen.plan.data.options import Image
from netgen.plan.data.plan import Plan, Segment
from netgen.plan.schedule.schedule import Schedule, schedule
from netgen.plan.segments.cut_schedule import Cut, cut_schedule
from netgen.plan.segments.flood import Banding, flood
from netgen.plan.segments.waiting_rows import call_height


def random_heights(scheduled: Schedule, draw: np.random.Generator) -> dict[int, int]:
    """A divisor of each call's rows."""
    heights = {}
    for n, call in enumerate(scheduled.calls):
        whole = call_height(call)
        heights[n] = int(draw.choice([d for d in range(1, whole + 1) if whole % d == 0]))
    return heights


def random_cut(
    scheduled: Schedule, draw: np.random.Generator, heights: dict[int, int], *, push: bool
) -> Cut | None:
    """Segments one after the other, long ones as likely as short ones; None: nothing can push."""
    parts: list[Segment | Banding] = []
    first = 0
    while first < len(scheduled.calls):
        pushed = push and first == 0
        stream = flood(scheduled, first, heights, push=pushed)
        if stream is None and pushed:
            return None
        if stream is None or (draw.random() < 0.3 and not pushed):
            parts.append(Segment(first, first))
            first += 1
        else:
            last = int(draw.integers(stream.least, stream.end))
            parts.append(stream.banding(last))
            first = last + 1
    return Cut((*parts,))


@lru_cache(maxsize=3)
def scheduled_once(graph: Graph, target: Target, image: Image) -> Schedule:
    """The schedule of a graph object that is cut again and again."""
    return schedule(graph, target, image=image)


def random_plan(
    graph: Graph, target: Target, image: Image, draw: np.random.Generator, *, high: bool
) -> Plan | None:
    """A plan of random segments, of bands of one row, or `high`, of any number."""
    scheduled = scheduled_once(graph, target, image)
    heights = dict.fromkeys(range(len(scheduled.calls)), 1)
    if high:
        heights = random_heights(scheduled, draw)
    cut = random_cut(scheduled, draw, heights, push=image == "rows")
    return assemble(cut_schedule(scheduled, cut), target) if cut else None
