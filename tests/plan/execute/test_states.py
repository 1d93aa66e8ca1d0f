"""Plans with states: accepted by the checker, and right over several runs on one memory."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.errors import PlanError
from netgen.ir.graph import Graph
from netgen.kernels.targets import find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.plan import Plan
from netgen.plan.execute.interpreter import execute
from netgen.plan.execute.memory import Memory
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json
from netgen.plan.pareto import pareto
from netgen.plan.show import plan_table
from tests.cases import examples
from tests.plan.stateful_graphs import (
    BODIES,
    assert_alike,
    expected_runs,
    stateful,
    stateful_graphs,
)

OPTIONS = {
    "default": PlanOptions(),
    "arena": PlanOptions(input="arena"),
    "rows": PlanOptions(input="rows"),
    "copies": PlanOptions(copies=True),
    "threads": PlanOptions(threads=3),
    "small": PlanOptions(small=True),
}
# Of their images rows can be pushed.
PUSHED = {"sum", "read_late", "channels", "channels_behind", "alike", "rings", "bands"}


def planned(graph: Graph, options: PlanOptions, target: str = "generic") -> tuple[Graph, Plan]:
    fused = run_pipeline(graph)
    plan = build_plan(fused, find_target(target), options)
    check_plan(plan)
    assert plan_from_json(plan_to_json(plan)) == plan
    return fused, plan


def run_all(graph: Graph, fused: Graph, plan: Plan, count: int = 4) -> None:
    memory = Memory(plan)
    for _ in range(2):
        memory.reset(fused)
        for inputs, expected in expected_runs(graph, count):
            found = execute(plan, fused, inputs, memory)
            for name, array in zip(plan.outputs, expected, strict=True):
                assert_alike(found[name], array)


@pytest.mark.parametrize("way", OPTIONS)
@pytest.mark.parametrize("name", BODIES)
def test_runs_follow_each_other(name: str, way: str) -> None:
    graph = stateful(name)
    if way == "rows" and name not in PUSHED:
        with pytest.raises(PlanError, match="the rows of this network's image cannot be pushed"):
            planned(graph, OPTIONS[way])
        return
    run_all(graph, *planned(graph, OPTIONS[way]))


@pytest.mark.parametrize("name", ["rings", "bands", "channels"])
def test_every_budget(name: str) -> None:
    graph, target = stateful(name), find_target("x86-64-v3")
    for point in pareto(run_pipeline(graph), target):
        fused, plan = planned(graph, PlanOptions(ram=point.arena_bytes), target.name)
        assert plan.certificate.arena_bytes <= point.arena_bytes
        run_all(graph, fused, plan)
    with pytest.raises(PlanError, match="no plan has so small an arena"):
        planned(graph, PlanOptions(ram=plan.state_bytes), target.name)


def test_two_regions() -> None:
    graph = stateful("bands")
    _, whole = planned(graph, PlanOptions())
    states, arena = whole.state_bytes, whole.certificate.arena_bytes
    fused, plan = planned(graph, PlanOptions(ram=(states + 256, arena)))
    assert states <= plan.fast_bytes <= states + 256
    assert plan.slow_bytes > 0
    run_all(graph, fused, plan)
    with pytest.raises(PlanError, match="no plan has so small an arena"):
        planned(graph, PlanOptions(ram=(states - 4, 2 * arena)))


# Bytes of states, and bytes moved, of the default plan.
MOVED = {
    "chain": (96, 96),
    "circle": (144, 192),  # one of the three is copied twice
    "sum": (48, 0),
    "constant": (48, 0),
    "channels_behind": (256, 128),
    "rings": (216, 184),  # of these 24 are rows that are cut out
    "bands": (544, 0),
}


@pytest.mark.parametrize("name", MOVED)
def test_what_is_moved(name: str) -> None:
    _, plan = planned(stateful(name), PlanOptions())
    assert (plan.state_bytes, plan.bytes_moved) == MOVED[name]
    text = "\n".join(plan_table(plan))
    moved = sum(plan.values[step.writes].type.bytes for step in plan.assignments)
    assert f"its first {plan.state_bytes} bytes hold" in text
    assert f"({moved} bytes moved" in text


def test_no_state_is_lost_between_runs() -> None:
    """The interpreter sees a plan that keeps nothing, and one that keeps it elsewhere."""
    graph = stateful("sum")
    fused, plan = planned(graph, PlanOptions())
    with pytest.raises(AssertionError):
        run_all(graph, fused, replace(plan, states=()))


@examples(40)
@given(graph=stateful_graphs(), way=st.sampled_from([*OPTIONS]))
def test_any_network(graph: Graph, way: str) -> None:
    check_any(graph, way)


@pytest.mark.heavy
@examples(400)
@given(graph=stateful_graphs(), way=st.sampled_from([*OPTIONS]))
def test_more_networks(graph: Graph, way: str) -> None:
    check_any(graph, way)


def check_any(graph: Graph, way: str) -> None:
    try:
        fused, plan = planned(graph, OPTIONS[way])
    except PlanError as error:
        if "the rows of this network's image cannot be pushed" not in str(error):
            raise
        return
    run_all(graph, fused, plan, count=3)
