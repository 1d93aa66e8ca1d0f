"""Costs of the plans of real networks."""

from __future__ import annotations

import pytest

from netgen.kernels.targets import find_target
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.plan import Plan
from netgen.plan.packing import pack_weights
from tests.plan.small_graphs import built
from tests.plan.work import calls_of


@pytest.mark.parametrize(
    ("network", "parameters", "arena"),
    [
        ("mobilenet_v2", {}, 5_619_712),
        ("mobilenet_v1", {"alpha": 0.25, "input_size": 96, "classes": 2}, 221_184),
        ("mobilenet_v2", {"alpha": 0.35, "input_size": 96}, 516_096),
    ],
)
def test_arena_bytes(network: str, parameters: dict[str, object], arena: int) -> None:
    plan = build_plan(built(network, **parameters), find_target("generic"))
    assert plan.certificate.arena_bytes == plan.certificate.lower_bound_bytes == arena
    assert plan.certificate.gap_bytes == 0


def test_mobilenet_v2_is_planned_packed_and_checked_with_little_work() -> None:
    """Calls of the planner's functions: 113,000 and 86,000 when this was written."""
    graph = built("mobilenet_v2")
    plans: list[Plan] = []
    assert calls_of(lambda: plans.append(build_plan(graph, find_target("x86-64-v4")))) < 150_000
    (plan,) = plans
    assert calls_of(lambda: check_plan(plan)) < 120_000
    assert pack_weights(plan, graph).nbytes == plan.weights_bytes
    assert plan.macs == graph.macs() == 300_774_272
    # Input image and logits.
    assert plan.caller_bytes() == 4 * (224 * 224 * 3 + 1000)
