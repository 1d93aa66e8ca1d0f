"""The order of the calls: what needs less memory, not what comes first in the alphabet."""

from __future__ import annotations

import pytest

from netgen.ir.graph import Graph
from netgen.kernels.targets import find_target
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.plan import Plan
from tests.plan.small_graphs import built, read

GENERIC = find_target("generic")


def order(body: str) -> list[str]:
    plan = build_plan(read(body), GENERIC, PlanOptions(accept_gap=True))
    check_plan(plan)
    return [step.writes for step in plan.steps]


def test_what_shares_a_buffer_is_computed_when_it_is_needed() -> None:
    # As a unit of ShuffleNet v1: %a comes first by its name, and would take the memory of %m.
    assert order("""
      %i : f32[1,6,5,4] = relu(%image)
      %wide : f32[16,1,1,4] = const {data=@wide}
      %back : f32[32,1,1,16] = const {data=@back}
      %a : f32[1,3,3,4] = max_pool2d(%i) {kernel=3, stride=2, pad=1}
      %t : f32[1,6,5,16] = conv2d(%i, %wide)
      %taps : f32[16,3,3,1] = const {data=@taps}
      %u : f32[1,3,3,16] = depthwise_conv2d(%t, %taps) {stride=2, pad=1}
      %z : f32[1,3,3,32] = conv2d(%u, %back)
      %m : f32[1,3,3,36] = channel_map(%a, %z) {channels="x0[0:4]+x1[0:32]"}
      %y : f32[1,3,3,36] = relu(%m)
      return %y""") == ["i", "t", "u", "z", "a", "y"]


def test_what_makes_values_smaller_stays_in_front() -> None:
    # %a lets %i go, which is larger: computed late, it would keep it through %t and %u.
    assert order("""
      %i : f32[1,6,5,4] = relu(%image)
      %wide : f32[16,1,1,4] = const {data=@wide}
      %a : f32[1,1,1,4] = global_avg_pool(%i)
      %h : f32[1,6,5,4] = hard_swish(%i)
      %t : f32[1,6,5,16] = conv2d(%h, %wide)
      %back : f32[4,1,1,16] = const {data=@back}
      %u : f32[1,6,5,4] = conv2d(%t, %back)
      %y : f32[1,6,5,4] = mul(%u, %a)
      return %y""") == ["i", "a", "h", "t", "u", "y"]


def shuffled() -> list[tuple[str, dict[str, object]]]:
    parameters: list[tuple[str, str, float]] = [
        ("shufflenet_v1", "groups", groups) for groups in (1, 2, 3, 4, 8)
    ]
    parameters += [("shufflenet_v2", "scale", scale) for scale in (0.5, 1.0, 1.5, 2.0)]
    return [(network, {name: value}) for network, name, value in parameters]


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        # No map, maps of three groups, halves; the other numbers in CI.
        pytest.param(*case, marks=[pytest.mark.heavy] * ([*case[1].values()] not in ([1], [3])))
        for case in shuffled()
    ],
)
def test_shuffles_move_nothing_and_take_no_memory(
    network: str, parameters: dict[str, object]
) -> None:
    graph = built(network, **parameters)
    views, copies = planned(graph), planned(graph, copies=True)
    assert views.bytes_moved == 0
    assert copies.bytes_moved > 0 or parameters == {"groups": 1}
    assert views.certificate.gap_bytes == 0
    assert views.certificate.arena_bytes <= copies.certificate.arena_bytes


def planned(graph: Graph, *, copies: bool = False) -> Plan:
    return build_plan(graph, GENERIC, PlanOptions(copies=copies, accept_gap=copies))
