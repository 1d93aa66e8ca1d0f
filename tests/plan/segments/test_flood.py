"""Segments executed band by band: the same numbers, and nothing less would do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.errors import PlanError
from netgen.ir.graph import Graph
from netgen.kernels.f32.pointwise import PointwiseF32
from netgen.kernels.targets import find_target
from netgen.models import NETWORKS
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.execution_order import execution_order, height
from netgen.plan.data.options import Image, PlanOptions
from netgen.plan.data.plan import Overlap, Plan, Segment, Slots
from netgen.plan.execute.interpreter import execute
from tests.cases import examples, heavy
from tests.plan.check.spoiled import Corruption, at, buffer, repacked, step, value
from tests.plan.schedule.map_graphs import mapped
from tests.plan.segments.cuts import random_plan
from tests.plan.small_graphs import BODIES, built, images, read

GENERIC = find_target("generic")
LOST = r"does not hold it|destroys its operand"
IMAGES: tuple[Image, ...] = ("caller", "arena", "rows")
DEEP = {"mobilenet_v3_large", "resnet34", "resnet50"}


def assert_cuts_change_nothing(graph: Graph, cuts: range, images_stand: tuple[Image, ...]) -> None:
    """Random cuts, every other of them with bands of several rows, equal layer by layer."""
    inputs = images(graph)
    whole = build_plan(graph, GENERIC, PlanOptions(accept_gap=True))
    expected = execute(whole, graph, inputs)
    banded = 0
    for seed in cuts:
        image = images_stand[seed // 2 % len(images_stand)]
        draw = np.random.default_rng(seed)
        plan = random_plan(graph, GENERIC, image, draw, high=seed % 2 == 1)
        if plan is None:
            continue
        check_plan(plan)
        found = execute(plan, graph, inputs)
        for name in found:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=f"{name}, {seed}")
        banded += any(s.last > s.first for s in plan.segments)
    assert banded


def smallest(network: str) -> Graph:
    size = {} if network == "ds_cnn" else {"input_size": 32}
    return built(network, **size)


# Channel maps and many readers of one value; residuals are among the small graphs, all in CI.
@pytest.mark.parametrize("network", [heavy("mobilenet_v2"), "shufflenet_v2"])
def test_some_cuts_of_networks(network: str) -> None:
    assert_cuts_change_nothing(smallest(network), range(2), IMAGES)


@pytest.mark.heavy
@pytest.mark.parametrize("network", NETWORKS)
def test_many_cuts_of_all_networks(network: str) -> None:
    """Fewer of deep ones: their blocks are those of the others, and a cut of them takes longer."""
    last = 108 if network in DEEP else 120
    assert_cuts_change_nothing(smallest(network), range(100, last), IMAGES)


@given(mapped(), st.sampled_from(IMAGES), st.integers(0, 1 << 16))
@examples(120)
def test_cuts_of_random_graphs(graph: Graph, image: Image, seed: int) -> None:
    inputs = images(graph)
    expected = execute(build_plan(graph, GENERIC, PlanOptions(accept_gap=True)), graph, inputs)
    for high in (False, True):
        plan = random_plan(graph, GENERIC, image, np.random.default_rng(seed), high=high)
        if plan is not None:
            check_plan(plan)
            found = execute(plan, graph, inputs)
            for name in found:
                np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


# Every way of the image with bands of one row and of several.
@pytest.mark.parametrize("seeds", [range(6), heavy(range(6, 12))], ids=str)
@pytest.mark.parametrize("body", BODIES)
def test_cuts_of_small_graphs(body: str, seeds: range) -> None:
    graph = read(BODIES[body])
    inputs = images(graph)
    expected = execute(build_plan(graph, GENERIC), graph, inputs)
    for seed in seeds:
        draw = np.random.default_rng(seed)
        plan = random_plan(graph, GENERIC, IMAGES[seed % 3], draw, high=seed % 2 == 1)
        if plan is not None:
            check_plan(plan)
            found = execute(plan, graph, inputs)
            for name in found:
                np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


@cache
def smallest_plan(image: Image = "rows", target: str = "x86-64-v4") -> Plan:
    """The smallest arena of a small mobilenet_v2: rings, guests in them, trails."""
    graph = built("mobilenet_v2", alpha=0.35, input_size=32, classes=10)
    with pytest.raises(PlanError) as caught:
        build_plan(graph, find_target(target), PlanOptions(1, image, accept_gap=True))
    ram = int(str(caught.value).split("expected at least ")[1].split(" bytes")[0])
    return build_plan(graph, find_target(target), PlanOptions(ram, image, accept_gap=True))


def test_rings_hold_what_windows_reach() -> None:
    plan = smallest_plan()
    check_plan(plan)
    # Three rows of the image for the stem; what the stem computes stands in three slots, each with
    # a pixel before it for the depthwise convolution, whose row i takes the place of row i - 1.
    assert (plan.buffers["image"].rows, plan.buffers["image"].margin) == (3, 0)
    stem = plan.buffers["stem.relu6"]
    assert (stem.rows, stem.row_pixels, stem.margin) == (3, 16 + 1, 1)
    assert plan.values["block1.depthwise.relu6"].runs[0].buffer == "stem.relu6"
    assert plan.values["block1.depthwise.relu6"].slots == Slots(1, 2, 1)
    assert plan.values["block2.depthwise.relu6"].slots == Slots(2, 2, 1)
    assert plan.buffers["block1.project.batch_norm"].rows == 1


def test_the_step_furthest_down_goes_first() -> None:
    plan = smallest_plan()
    done = dict.fromkeys(range(-1, len(plan.steps)), 0)
    for band in execution_order(plan):
        assert done[band.step] == band.first
        done[band.step] = band.end
        if band.step == 0 and 0 < band.end < 16:
            # As soon as a row of the stem is there, all is computed that can be: nothing waits.
            assert done[1] >= band.first - 1
    assert done.pop(-1) == 32
    assert all(rows == height(plan, plan.steps[index]) for index, rows in done.items())


def rings(plan: Plan) -> list[str]:
    heights = {v.runs[0].buffer: v.rows for v in plan.values.values() if v.slots == Slots()}
    return [name for name, b in plan.buffers.items() if b.rows < heights.get(name, 0)]


def shorter(plan: Plan, name: str) -> Plan:
    """A ring of one row less."""
    ring = plan.buffers[name]
    rows = ring.rows - 1
    cut = buffer(plan, name, rows=rows, bytes=4 * rows * ring.row_pixels * ring.pitch)
    for other, held in plan.values.items():
        if held.runs[0].buffer == name:
            slots = replace(held.slots, first=held.slots.first % rows)
            cut = value(cut, other, slots=slots)
    return repacked(cut)


@pytest.mark.parametrize("image", [heavy("caller"), heavy("arena"), "rows"])
def test_no_ring_could_be_shorter(image: Image) -> None:
    plan = smallest_plan(image)
    found = [name for name in rings(plan) if plan.buffers[name].rows > 1]
    assert found
    for name in found:
        with pytest.raises(PlanError, match=LOST):
            check_plan(shorter(plan, name))


def nearer(plan: Plan, trail: Overlap, by: int) -> Plan:
    """A result, and what stands in relation to it, that many bytes nearer to its operand."""
    result = plan.buffer_of(trail.result)
    moved = buffer(plan, result.name, offset=result.offset + by)
    overlaps = [replace(o, distance=o.distance - by) if o == trail else o for o in plan.overlaps]
    overlaps = [
        replace(o, distance=o.distance + by) if plan.buffer_of(o.operand) is result else o
        for o in overlaps
    ]
    return repacked(replace(moved, overlaps=tuple(overlaps)))


@pytest.mark.heavy
def test_trails_could_not_be_nearer() -> None:
    messages = []
    for image in IMAGES:
        plan = smallest_plan(image, "generic")
        first = [plan.steps[segment.first] for segment in plan.segments]
        banded = [step.rows < height(plan, step) for step in first]
        trails = [o for o in plan.overlaps if banded[o.segment] and o.distance >= 64]
        assert bool(trails) == (image != "rows")
        for trail in trails:
            # The result moves, and may meet a third buffer.
            with pytest.raises(PlanError, match=LOST + "|they share memory") as caught:
                check_plan(nearer(plan, trail, 64))
            messages.append(str(caught.value))
    assert any(re.search(LOST, message) for message in messages)


GUEST, HOST = "block1.depthwise.relu6", "stem.relu6"


def moved_guest(**changes: int) -> Corruption:
    return lambda plan: value(plan, GUEST, slots=replace(plan.values[GUEST].slots, **changes))


def swapped(plan: Plan, first: int) -> Plan:
    steps = list(plan.steps)
    steps[first], steps[first + 1] = steps[first + 1], steps[first]
    return replace(plan, steps=tuple(steps))


def without_push(plan: Plan) -> Plan:
    return replace(plan, push_rows=False)


BANDED: dict[str, tuple[Corruption, str]] = {
    "guest_in_the_next_slot": (moved_guest(first=0), "destroys|does not hold it"),
    "guest_in_the_slot_before": (moved_guest(first=1), "destroys|does not hold it"),
    "guest_of_another_pace": (moved_guest(step=2), "destroys|does not hold it"),
    "guest_of_no_pace": (moved_guest(step=0), "the slots are none of the buffer's"),
    "guest_not_moved": (moved_guest(shift=0), "destroys|do not fit into the slots"),
    "guest_moved_too_far": (moved_guest(shift=2), "do not fit into the slots"),
    "slot_of_no_ring": (moved_guest(first=3), "the slots are none of the buffer's"),
    "margin_gone": (lambda p: buffer(p, HOST, margin=0), "do not fit into the slots"),
    "margin_wider": (lambda p: buffer(p, HOST, margin=2), "do not fit into the slots"),
    "rows_pushed_into_a_ring": (without_push, "rows of %image do not stand one after the other"),
    "input_of_the_caller": (
        lambda p: repacked(buffer(p, "image", kind="input")), "which stands in the arena"
    ),
    "steps_of_two_segments_swapped": (lambda p: swapped(p, 5), "life is not that of its values"),
    "segment_cut": (
        lambda p: replace(p, segments=(Segment(0, 2), Segment(3, 5), *p.segments[1:])), "life"
    ),
    "segment_longer": (
        lambda p: replace(p, segments=(Segment(0, 6), *p.segments[2:])), "life is not that"
    ),
    "bands_of_two_rows": (
        lambda p: step(p, at(p, GUEST), rows=2), "2 rows of %block1.depthwise.relu6 do not stand"
    ),
    "bands_of_the_stem_of_two_rows": (
        lambda p: step(p, 0, rows=2), "2 rows of %stem.relu6 do not stand one after the other"
    ),
    "window_over_a_guest": (
        lambda p: value(p, HOST, slots=Slots(1, 1, 0)),
        "looks for row i of %stem.relu6 in slot i",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BANDED)
def test_corrupted_bands_are_rejected(name: str) -> None:
    corrupt, message = BANDED[name]
    plan = smallest_plan()
    assert corrupt(plan) != plan
    with pytest.raises(PlanError, match=message) as caught:
        check_plan(corrupt(plan))
    assert "\n" not in str(caught.value)


def test_a_kernel_that_computes_no_bands_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = smallest_plan()
    monkeypatch.setattr(PointwiseF32, "by_rows", "none")
    with pytest.raises(PlanError, match="pointwise_f32 computes no bands"):
        check_plan(plan)


def two_inputs() -> Graph:
    return read("""
      %other : f32[1,6,5,4] = input
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %y : f32[1,6,5,4] = add(%a, %other)
      return %y""")


def read_whole_first() -> Graph:
    """The image is read once more where all of another value must be there."""
    return read("""
      %a : f32[1,6,5,4] = conv2d(%image, %w, %b)
      %m : f32[1,1,1,4] = global_avg_pool(%a)
      %y : f32[1,6,5,4] = mul(%image, %m)
      return %y""")


def no_image() -> Graph:
    return read("""
      %r : f32[1,120] = reshape(%image) {shape=(1,120)}
      %y : f32[1,120] = relu(%r)
      return %y""")


@pytest.mark.parametrize("make", [two_inputs, read_whole_first, no_image])
def test_what_cannot_be_pushed(make: Callable[[], Graph]) -> None:
    graph = make()
    check_plan(build_plan(graph, GENERIC))
    with pytest.raises(PlanError, match="rows of this network's image cannot be pushed"):
        build_plan(graph, GENERIC, PlanOptions(input="rows"))
