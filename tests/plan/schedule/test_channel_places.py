"""Places of channels: channel maps that move nothing."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given

from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.kernels.targets import find_target
from netgen.ops.conv2d import Conv2d
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.plan import Plan
from netgen.plan.execute.interpreter import execute
from tests.cases import examples, heavy
from tests.meaning import meaning
from tests.plan.schedule.map_graphs import mapped, movable
from tests.plan.small_graphs import built, images, read

GENERIC = find_target("generic")


VIEWS = PlanOptions(accept_gap=True)


def planned(graph: Graph, options: PlanOptions = VIEWS) -> Plan:
    plan = build_plan(graph, GENERIC, options)
    check_plan(plan)
    return plan


def assert_computes(plan: Plan, graph: Graph) -> None:
    inputs = images(graph)
    found, expected = execute(plan, graph, inputs), interpret(graph, inputs)
    pairs = [(name, name) for name in found if name in expected]
    for mine, theirs in (*pairs, *zip(plan.outputs, graph.outputs, strict=True)):
        scale = max(1.0, float(np.abs(expected[theirs]).max()))
        np.testing.assert_allclose(found[mine], expected[theirs], atol=1e-4 * scale, err_msg=mine)


def copied(plan: Plan) -> list[str]:
    return [step.writes for step in plan.steps if step.op.operator_name == "channel_map"]


@given(mapped())
@examples(150)
def test_values_are_those_of_the_graph(graph: Graph) -> None:
    assert_computes(planned(graph), graph)


@given(mapped())
@examples(40)
def test_maps_that_are_copied_give_the_same_values(graph: Graph) -> None:
    plan = planned(graph, PlanOptions(copies=True, accept_gap=True))
    assert_computes(plan, graph)
    maps = [n.name for n in graph.activations if n.op.operator_name == "channel_map"]
    assert copied(plan) == maps


@given(movable())
@examples(100)
def test_nothing_is_moved_that_need_not_be(graph: Graph) -> None:
    plan = planned(graph)
    assert plan.bytes_moved == 0
    assert not copied(plan)
    assert_computes(plan, graph)


@given(movable())
@examples(50)
def test_pixels_are_no_wider_than_the_channels_alive_at_once(graph: Graph) -> None:
    plan = planned(graph)
    reads = [list(step.reads.values()) for step in plan.steps]
    alive: dict[str, list[int]] = {name: [0] * len(plan.steps) for name in plan.buffers}
    for number, step in enumerate(plan.steps):
        for place_ends in last_reads(plan, step.writes, reads).values():
            for moment in range(number, max(number, place_ends) + 1):
                alive[plan.buffer_of(step.writes).name][moment] += 1
    for name, buffer in plan.buffers.items():
        assert buffer.kind == "input" or buffer.pitch == max(alive[name])


def last_reads(plan: Plan, value: str, reads: list[list[str]]) -> dict[int, int]:
    """The last step that reads each channel of a computed value, by its number."""
    numbers = {n: np.full(v.type.shape[-1], -1.0) for n, v in plan.values.items() if v.view is None}
    numbers[value] = np.arange(len(numbers[value]), dtype=float)
    last = dict.fromkeys(range(len(numbers[value])), -1)
    for name, held in plan.values.items():
        if held.view is not None:
            operands = [numbers[operand] for operand in held.view.operands]
            numbers[name] = meaning(held.view.op, operands)
    for index, names in enumerate(reads):
        for channel in (c for name in names for c in numbers[name].tolist() if c >= 0):
            last[int(channel)] = index
    if value in plan.outputs:
        last = dict.fromkeys(last, len(plan.steps) - 1)
    return last


# Statements after %a and %d, both f32[1,6,5,4] and computed; maps that are copied, and the reason.
MAPS = {
    "view": ("""
      %m : f32[1,6,5,8] = channel_map(%a, %d) {channels="(x0[0:4]|x1[0:4])"}
      %y : f32[1,6,5,8] = relu(%m)
      return %y""", []),
    "zeros": ("""
      %m : f32[1,6,5,6] = channel_map(%a) {channels="x0[0:4]+0[2]"}
      %y : f32[1,6,5,6] = relu(%m)
      return %y""", ["m"]),
    "a channel twice": ("""
      %m : f32[1,6,5,5] = channel_map(%a) {channels="x0[0:4]+x0[0:1]"}
      %y : f32[1,6,5,5] = relu(%m)
      return %y""", ["m"]),
    "part of the input": ("""
      %m : f32[1,6,5,2] = channel_map(%image) {channels="x0[1:3]"}
      %y : f32[1,6,5,2] = relu(%m)
      return %y""", []),
    "the input beside another value": ("""
      %m : f32[1,6,5,8] = channel_map(%a, %image) {channels="x0[0:4]+x1[0:4]"}
      %y : f32[1,6,5,8] = relu(%m)
      return %y""", ["m"]),
    "an output that its operands are written into": ("""
      %y : f32[1,6,5,8] = channel_map(%a, %d) {channels="(x0[0:4]|x1[0:4])"}
      return %y""", []),
    "an output that is read again": ("""
      %y : f32[1,6,5,8] = channel_map(%a, %d) {channels="x1[0:4]+x0[0:4]"}
      %z : f32[1,6,5,8] = relu(%y)
      return %z, %y""", []),
    "two outputs of the same channels": ("""
      %y : f32[1,6,5,4] = channel_map(%a) {channels="x0[2:4]+x0[0:2]"}
      %z : f32[1,6,5,4] = channel_map(%a) {channels="x0[1:4]+x0[0:1]"}
      return %y, %z""", ["z"]),
    "an output that shows a part": ("""
      %y : f32[1,6,5,2] = channel_map(%a) {channels="x0[1:3]"}
      return %y""", ["y"]),
    "an output that is an operand": ("""
      %y : f32[1,6,5,8] = channel_map(%a, %d) {channels="x0[0:4]+x1[0:4]"}
      return %y, %a""", ["y"]),
    "an output reshaped into other pixels": ("""
      %m : f32[1,6,5,8] = channel_map(%a, %d) {channels="x1[0:4]+x0[0:4]"}
      %y : f32[1,240] = reshape(%m) {shape=(1,240)}
      return %y""", ["m"]),
    "an output, and other pixels of it": ("""
      %y : f32[1,6,5,8] = channel_map(%a, %d) {channels="x1[0:4]+x0[0:4]"}
      %r : f32[1,6,8,5] = reshape(%y) {shape=(1,6,8,5)}
      %z : f32[1,6,8,5] = relu(%r)
      return %z, %y""", []),
    "pixels in other rows": ("""
      %r : f32[1,5,6,4] = reshape(%a) {shape=(1,5,6,4)}
      %s : f32[1,5,6,4] = relu(%r)
      %m : f32[1,5,6,8] = channel_map(%r, %s) {channels="x0[0:4]+x1[0:4]"}
      %y : f32[1,5,6,8] = relu(%m)
      return %y""", ["m"]),
    "a list of pixels beside an image": ("""
      %r : f32[1,30,4] = reshape(%a) {shape=(1,30,4)}
      %s : f32[1,30,4] = relu(%r)
      %m : f32[1,30,8] = channel_map(%r, %s) {channels="x0[0:4]+x1[0:4]"}
      %y : f32[1,30,8] = relu(%m)
      return %y""", ["m"]),
    "a list of pixels": ("""
      %m : f32[1,6,5,4] = channel_map(%a, %d) {channels="x0[1:3]+x1[0:2]"}
      %r : f32[1,30,4] = reshape(%m) {shape=(1,30,4)}
      %y : f32[1,30,4] = relu(%r)
      return %y""", []),
    "an order that a kernel needs": ("""
      %m : f32[1,6,5,4] = channel_map(%a) {channels="x0[2:4]+x0[0:2]"}
      %y : f32[1,6,5,4] = softmax(%m)
      return %y""", ["m"]),
}  # fmt: skip


@pytest.mark.parametrize("reason", MAPS)
def test_which_maps_are_copied(reason: str) -> None:
    body, expected = MAPS[reason]
    graph = read(f"""
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %d : f32[1,6,5,4] = depthwise_conv2d(%a, %v) {{pad=1}}{body}""")
    plan = planned(graph)
    assert_computes(plan, graph)
    assert copied(plan) == expected
    assert plan.bytes_moved == sum(plan.values[name].type.bytes for name in expected)


def stretches(places: np.ndarray) -> int:
    """The number of runs of places without a gap: the loops of a kernel."""
    return 1 + int((np.diff(np.sort(places)) > 1).sum())


@pytest.mark.parametrize("scale", [0.5, heavy(1.0), heavy(1.5), heavy(2.0)])
def test_shufflenet_v2_moves_nothing_and_has_few_runs(scale: float) -> None:
    plan = planned(built("shufflenet_v2", scale=scale))
    assert plan.bytes_moved == 0
    read_or_written = {v for step in plan.steps for v in (*step.reads.values(), step.writes)}
    runs = {value: stretches(plan.layout(value).places()) for value in read_or_written}
    assert max(runs.values()) <= 9


def test_shufflenet_v2_lives_in_the_places_of_one_unit() -> None:
    plan = planned(built("shufflenet_v2"))
    for stage, channels in ((2, 116), (3, 232), (4, 464)):
        units = [v for v in plan.values if v.startswith(f"stage{stage}.") and "branch2.second" in v]
        buffers = {plan.buffer_of(value).name for value in units}
        assert len(units) > 3
        assert len(buffers) == 1
        assert plan.buffers[buffers.pop()].pitch == channels


@pytest.mark.parametrize("groups", [heavy(1), heavy(2), 3, heavy(4), 8])
def test_shufflenet_v1_moves_nothing_and_has_a_run_for_each_group(groups: int) -> None:
    plan = planned(built("shufflenet_v1", groups=groups))
    assert plan.bytes_moved == 0
    seen: Counter[int] = Counter()
    for step in plan.steps:
        if isinstance(step.op, Conv2d) and step.op.groups > 1:
            places = plan.layout(step.reads["x"]).places().reshape(step.op.groups, -1)
            seen[max(stretches(part) for part in places)] += 1
    assert max(seen, default=1) <= groups


@pytest.mark.parametrize(
    ("network", "moved"), [("squeezenet", 0), ("resnet20", 2), ("mobilenet_v3_small", 0)]
)
def test_other_networks_copy_only_what_is_padded(network: str, moved: int) -> None:
    plan = planned(built(network, classes=10))
    assert len(copied(plan)) == moved
    for name in copied(plan):
        step = next(step for step in plan.steps if step.writes == name)
        assert "+0[" in str(step.op.attributes()["channels"])
