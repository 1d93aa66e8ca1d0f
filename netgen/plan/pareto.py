"""The trade of RAM for time: plans of one network, from the fastest to the smallest arena."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netgen.errors import PlanError
from netgen.ir.graph import Graph
from netgen.kernels.compressed import PLAIN_WEIGHTS
from netgen.kernels.targets import Target
from netgen.plan.budget import Cutter
from netgen.plan.data.options import Image
from netgen.plan.schedule.schedule import schedule
from netgen.plan.segments.cut_schedule import Cut, cut_schedule
from netgen.plan.segments.fastest_cut import layer_by_layer, segment_choices
from netgen.plan.segments.flood import Banding

_MOST_POINTS = 20
# Plans whose arenas differ by less are no choice to anyone.
_LEAST_STEP = 1.04


@dataclass(frozen=True)
class Point:
    """One plan: `--ram` with its `arena_bytes` gives it, and the first one is that without `--ram`.

    `mac_factor` is how many multiply-accumulates are executed for each of the network's; `cycles`
    are estimated, of one core. `cut` says how the network is cut into segments; steps are numbered
    as in the plan.
    """

    caller_bytes: int
    arena_bytes: int
    gap_bytes: int
    mac_factor: float
    cycles: float
    segments: int
    cut: str
    push_rows: bool


def slower(points: Sequence[Point]) -> list[float]:
    """The percentage by which each plan takes longer than the fastest, as estimated."""
    fastest = min(point.cycles for point in points) or 1.0
    return [100 * (point.cycles / fastest - 1) for point in points]


def pareto(
    graph: Graph,
    target: Target,
    image: Image = "caller",
    *,
    winograd: bool = True,
    weights: str = PLAIN_WEIGHTS,
) -> list[Point]:
    """Distinct plans of a graph that has been through the passes, arenas descending.

    The first is the one that is made without a budget; of the others each is slower, by the
    estimate, than those before it. Raises PlanError where rows cannot be pushed.
    """
    scheduled = schedule(graph, target, image=image, winograd=winograd, weights=weights)
    found = segment_choices(scheduled, target, push=image == "rows")
    cutter = Cutter(scheduled, found, target.alignment)
    least = cutter.smallest()
    if least is None:
        raise PlanError(
            "the rows of this network's image cannot be pushed",
            where=f"%{graph.inputs[0].name}",
            hint="choose --input caller or arena",
        )
    planned = image == "rows" or target.cache_miss
    free = cutter.fitting(float("inf")) if planned else layer_by_layer(scheduled)
    assert free is not None
    cuts = [free, *_smaller(cutter, free, least)]
    macs = graph.macs()
    executed = sum(call.layer.macs() for call in scheduled.calls)
    return [_point(cutter, cut, executed / macs if macs else 1.0) for cut in cuts]


def _smaller(cutter: Cutter, free: Cut, least: Cut) -> list[Cut]:
    """Cuts with smaller arenas than that of `free`, each slower than the ones before it."""
    size = cutter.certificate(free).arena_bytes
    goal = min(size, cutter.certificate(least).arena_bytes)
    step = max(_LEAST_STEP, (size / goal) ** (1 / (_MOST_POINTS - 1))) if goal else _LEAST_STEP
    cuts: list[Cut] = []
    while size > 0 and len(cuts) < _MOST_POINTS - 1:
        cut = _settled(cutter, size / step if size / step > goal else min(goal, size - 1))
        if cut is None:
            break
        size = cutter.certificate(cut).arena_bytes
        while cuts and cutter.cycles(cuts[-1]) >= cutter.cycles(cut):
            cuts.pop()
        cuts.append(cut)
    return cuts


def _settled(cutter: Cutter, ram: float) -> Cut | None:
    """The cut that fits, such that its arena as the budget gives the same one."""
    cut = cutter.fitting(ram)
    while cut is not None and (size := cutter.certificate(cut).arena_bytes) < ram:
        ram, cut = size, cutter.fitting(size)
    return cut


def _point(cutter: Cutter, cut: Cut, mac_factor: float) -> Point:
    banded = cut_schedule(cutter.schedule, cut)
    certificate = cutter.certificate(cut)
    buffers = banded.schedule.buffers.values()
    return Point(
        caller_bytes=sum(buffer.bytes for buffer in buffers if not buffer.in_arena),
        arena_bytes=certificate.arena_bytes,
        gap_bytes=certificate.gap_bytes,
        mac_factor=mac_factor,
        cycles=cutter.cycles(cut),
        segments=len(cut.parts),
        cut=_summary(cut),
        push_rows=any(part.push for part in cut.parts if isinstance(part, Banding)),
    )


def _summary(cut: Cut) -> str:
    """A list of the steps that are executed band by band."""
    bandings = [part.segment for part in cut.parts if isinstance(part, Banding)]
    if not bandings:
        return "layer by layer"
    names = [f"{s.first}-{s.last}" if s.first < s.last else f"{s.first}" for s in bandings]
    rest = "" if len(bandings) == len(cut.parts) else ", the rest layer by layer"
    return f"by bands {', '.join(names)}{rest}"
