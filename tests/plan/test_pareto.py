"""The plans between the fastest and the smallest arena."""

from __future__ import annotations

from itertools import pairwise

import pytest

from netgen.errors import PlanError
from netgen.kernels.targets import find_target
from netgen.models import NETWORKS
from netgen.plan.build import build_plan
from netgen.plan.data.execution_order import height
from netgen.plan.data.options import Image, PlanOptions
from netgen.plan.data.plan import Plan
from netgen.plan.pareto import Point, pareto
from netgen.report.layers import layer_facts
from tests.plan.small_graphs import BODIES, built, read
from tests.plan.work import calls_of

TARGET = find_target("generic")
SMALL: dict[str, dict[str, object]] = {
    "mobilenet_v2": {"alpha": 0.35, "input_size": 64},
    "mobilenet_v3_small": {"input_size": 64},
    "shufflenet_v2": {"scale": 0.5, "input_size": 64},
    "resnet8": {},
}
# With a stride in each block, and without; the others in CI.
LIGHT = {"shufflenet_v2", "resnet8"}
# Of the planner's functions; when this was written, 76,535 and 8,485,213 at most.
MOST_CALLS_OF_A_PLAN = 100_000
MOST_CALLS_OF_ALL_PLANS = 11_000_000


def cut_of(plan: Plan) -> str:
    """The cut of a plan, told from its steps: the text that the table should have."""
    banded = [
        (s.first, s.last)
        for s in plan.segments
        if s.first < s.last or plan.steps[s.first].rows < height(plan, plan.steps[s.first])
    ]
    if not banded:
        return "layer by layer"
    text = "by bands " + ", ".join(f"{a}-{b}" if a < b else str(a) for a, b in banded)
    alone = len(plan.segments) - len(banded)
    return text + (", the rest layer by layer" if alone else "")


def facts(plan: Plan) -> tuple[int, int, int, int, str, bool]:
    buffers = plan.buffers.values()
    caller = sum(b.bytes for b in buffers if b.kind in {"input", "output"})
    bound = max(
        sum(r.bytes for r in plan.rectangles if r.first <= n <= r.last)
        for n in range(len(plan.segments))
    )
    size = plan.certificate.arena_bytes
    return caller, size, size - bound, len(plan.segments), cut_of(plan), plan.push_rows


def stated(point: Point) -> tuple[int, int, int, int, str, bool]:
    return (
        point.caller_bytes,
        point.arena_bytes,
        point.gap_bytes,
        point.segments,
        point.cut,
        point.push_rows,
    )


def _few(points: list[Point]) -> dict[int, Point]:
    """Some of the points by number, the last among them."""
    return {n: points[n] for n in range(len(points) - 1, -1, -4)}


@pytest.mark.parametrize(
    ("network", "image"),
    [
        # One of them is enough where time matters.
        *(
            pytest.param(network, "caller", marks=[pytest.mark.heavy] * (network != "resnet8"))
            for network in SMALL
        ),
        pytest.param("mobilenet_v2", "rows", marks=pytest.mark.heavy),
        ("resnet8", "arena"),
    ],
)
def test_each_point_is_the_plan_of_its_budget(network: str, image: Image) -> None:
    graph = built(network, **SMALL[network])
    points = pareto(graph, TARGET, image)
    assert 2 <= len(points) <= 20
    for number, point in sorted({0: points[0], 1: points[1], **_few(points)}.items()):
        ram = point.arena_bytes if number else None
        plan = build_plan(graph, TARGET, PlanOptions(ram, image))
        assert stated(point) == facts(plan)
        assert point.mac_factor == plan.macs / graph.macs() == 1.0
        assert point.cycles == pytest.approx(sum(f.cycles for f in layer_facts(plan)))
    with pytest.raises(PlanError, match="no plan has so small an arena"):
        build_plan(graph, TARGET, PlanOptions(points[-1].arena_bytes // 2, image))


@pytest.mark.parametrize(
    "network",
    [pytest.param(n, marks=[pytest.mark.heavy] * (n not in LIGHT)) for n in SMALL],
)
def test_less_ram_takes_more_time(network: str) -> None:
    points = pareto(built(network, **SMALL[network]), TARGET)
    assert all(a.arena_bytes > b.arena_bytes for a, b in pairwise(points))
    assert all(a.cycles < b.cycles for a, b in pairwise(points[1:]))


def test_a_pushed_image_is_not_the_caller_s() -> None:
    graph = built("resnet8")
    (image,), (output,) = graph.inputs, graph.outputs
    stands: dict[Image, int] = {"caller": image.type.bytes, "arena": 0, "rows": 0}
    for where, expected in stands.items():
        for point in pareto(graph, TARGET, where):
            assert point.caller_bytes == expected + graph[output].type.bytes


@pytest.mark.parametrize("body", BODIES)
def test_small_graphs(body: str) -> None:
    graph = read(BODIES[body])
    points = pareto(graph, TARGET)
    assert points[0].arena_bytes == build_plan(graph, TARGET).certificate.arena_bytes
    assert points[0].cut == "layer by layer"
    assert len({point.arena_bytes for point in points}) == len(points)


def test_rows_of_an_image_that_is_read_as_a_whole() -> None:
    graph = read("""
      %t : f32[1,120] = reshape(%image) {shape=(1,120)}
      %m : f32[7,120] = const {data=@m}
      %y : f32[1,7] = linear(%t, %m)
      return %y""")
    with pytest.raises(PlanError, match="rows of this network's image cannot be pushed"):
        pareto(graph, TARGET, "rows")


@pytest.mark.heavy
@pytest.mark.parametrize("network", NETWORKS)
def test_planning_is_little_work(network: str) -> None:
    graph = built(network)
    assert calls_of(lambda: build_plan(graph, TARGET)) < MOST_CALLS_OF_A_PLAN
    assert calls_of(lambda: pareto(graph, TARGET)) < MOST_CALLS_OF_ALL_PLANS


@pytest.mark.parametrize("place", ["arena", "rows"])
def test_the_least_ram_is_the_smallest_that_is_found(place: Image) -> None:
    graph = built("resnet8")
    least = build_plan(graph, TARGET, PlanOptions(ram="least", input=place, accept_gap=True))
    size = least.certificate.arena_bytes
    assert least == build_plan(graph, TARGET, PlanOptions(ram=size, input=place, accept_gap=True))
    with pytest.raises(PlanError, match=f"at least {size} bytes"):
        build_plan(graph, TARGET, PlanOptions(ram=size - 1, input=place))
