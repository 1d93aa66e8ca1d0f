"""Divisions of calls: what the planner chooses, and what the checker finds wrong with others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, cast

import pytest

import netgen
from netgen.dsl.tensor import constructing, finish, image
from netgen.errors import PlanError
from netgen.ir.text import parse_graph
from netgen.kernels import KERNELS
from netgen.kernels.f32.depthwise_conv2d import DepthwiseConv2dF32
from netgen.kernels.layer import Json, Kernel
from netgen.kernels.loops import Parameters
from netgen.kernels.split import Loop, split_loops
from netgen.kernels.targets import find_target
from netgen.ops import channel_slice, depthwise_conv2d, identity, relu, sigmoid
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.plan import Plan
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json
from netgen.plan.schedule import division
from netgen.plan.show import plan_table

Bounds = list[list[int]]


@cache
def good_plan() -> Plan:
    graph = run_pipeline(netgen.load("mobilenet_v1", alpha=0.25, input_size=96))
    # A budget, though an ample one: without any, no depthwise result takes its operand's place.
    options = PlanOptions(1 << 30, accept_gap=True, threads=2)
    return build_plan(graph, find_target("x86-64-v3"), options)


def splits(plan: Plan) -> list[tuple[int, dict[str, Json]]]:
    found = ((n, i.parameters.get("split")) for n, i in enumerate(plan.instances))
    return [(n, split) for n, split in found if isinstance(split, dict)]


def changed(plan: Plan, by: str, change: Callable[[Bounds], object]) -> Plan:
    """The first division by `by` replaced: by one with other bounds, or by anything else."""
    number, split = next((n, s) for n, s in splits(plan) if s["by"] == by)
    rows = [[*row] for row in cast("Bounds", split["bounds"])]
    return exchanged(plan, number, change(rows) or {"by": by, "bounds": rows})


def exchanged(plan: Plan, number: int, split: object) -> Plan:
    instances = [*plan.instances]
    parameters: dict[str, Any] = {**instances[number].parameters, "split": split}
    instances[number] = replace(instances[number], parameters=parameters)
    return replace(plan, instances=tuple(instances))


def moved(loop: int, part: int, by: int) -> Callable[[Bounds], None]:
    def change(rows: Bounds) -> None:
        rows[loop][part] += by

    return change


CORRUPTIONS: dict[str, tuple[str, Callable[[Bounds], object], str]] = {
    "starts_late": ("rows", moved(0, 0, 1), "not all of the loop"),
    "ends_early": ("rows", moved(0, -1, -1), "not all of the loop"),
    "goes_back": ("rows", moved(0, 1, 1000), "not all of the loop"),
    "cuts_a_tile": ("pixels", moved(0, 1, 1), "not all of the loop"),
    "cuts_a_vector": ("vectors", moved(0, 1, 1), "not all of the loop"),
    "a_part_more": ("rows", lambda rows: rows[0].append(rows[0][-1]), "is malformed"),
    "a_loop_more": ("rows", lambda rows: rows.append(rows[0]), "for each loop"),
    "no_list": ("rows", lambda _: {"by": "rows", "bounds": 3}, "is malformed"),
    "no_numbers": ("rows", lambda _: {"by": "rows", "bounds": [[0, True, 1]]}, "is malformed"),
    "by_nothing_known": (
        "rows",
        lambda r: {"by": "columns", "bounds": r},
        "not divided by columns",
    ),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_wrong_divisions_are_rejected(name: str) -> None:
    by, change, message = CORRUPTIONS[name]
    with pytest.raises(PlanError, match=message):
        check_plan(changed(good_plan(), by, change))


def test_any_right_division_is_accepted() -> None:
    check_plan(good_plan())
    check_plan(changed(good_plan(), "rows", moved(0, 1, 3)))
    number, _ = splits(good_plan())[0]
    check_plan(exchanged(good_plan(), number, None))


def test_rows_of_a_depthwise_in_place_are_not_divided() -> None:
    """Part 1 would read rows that part 0 has written over."""
    plan = good_plan()
    number, instance = next(
        (n, i) for n, i in enumerate(plan.instances) if i.name.endswith("relu6_over_x")
    )
    assert instance.kernel == "depthwise_conv2d_f32"
    rows = instance.parameters["out_height"]
    assert isinstance(rows, int)
    broken = exchanged(plan, number, {"by": "rows", "bounds": [[0, rows // 2, rows]]})
    with pytest.raises(PlanError, match="may overwrite what another one still reads"):
        check_plan(broken)


def test_channels_of_a_depthwise_in_place_are_divided_whatever_their_loop_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each channel meets only itself."""
    plan = good_plan()
    number, split = next(
        (n, s)
        for n, s in splits(plan)
        if s["by"] == "vectors" and plan.instances[n].name.endswith("over_x")
    )
    own = DepthwiseConv2dF32.loops

    def loops(kernel: DepthwiseConv2dF32, parameters: Parameters, by: str) -> tuple[Loop, ...]:
        return own(kernel, parameters, "vectors" if by == "channels" else by)

    monkeypatch.setattr(DepthwiseConv2dF32, "loops", loops)
    check_plan(exchanged(plan, number, {**split, "by": "channels"}))


def test_a_channel_that_two_vectors_hold_is_one_part_s() -> None:
    """The last vector of 19 channels repeats one of those before, as its operand has a pitch."""
    with constructing() as construction:
        sliced = channel_slice(relu(image(1, 9, 38)), 0, 19)
        graph = finish(construction, "case", (depthwise_conv2d(sliced, 3, pad=1),))
    plan = build_plan(graph, find_target("x86-64-v4"), PlanOptions(threads=2))
    number = plan.steps[-1].instance
    check_plan(exchanged(plan, number, {"by": "vectors", "bounds": [[0, 16, 16], [16, 20, 20]]}))
    with pytest.raises(PlanError, match="two parts compute channel 15"):
        check_plan(
            exchanged(plan, number, {"by": "vectors", "bounds": [[0, 16, 16], [16, 16, 20]]})
        )


def test_the_rest_of_pixels_follows_the_last_tile() -> None:
    graph = run_pipeline(netgen.load("mobilenet_v2", alpha=0.35, input_size=96))
    plan = build_plan(graph, find_target("x86-64-v4"), PlanOptions(threads=2))
    number, (tiles, rest) = next(
        (n, bounds)
        for n, split in splits(plan)
        for bounds in [cast("Bounds", split["bounds"])]
        if split["by"] == "pixels" and len(bounds) == 2
    )
    wrong = [tiles, [rest[0], rest[-1], rest[-1]]]
    with pytest.raises(PlanError, match="the rest of a loop is another part"):
        check_plan(exchanged(plan, number, {"by": "pixels", "bounds": wrong}))


@pytest.mark.parametrize("channels", [29, 8, 1])
def test_vectors_of_elements_are_not_cut(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts meet between vectors; what is no whole vector stays one."""
    monkeypatch.setattr(division, "_MEETING_CYCLES", -1.0)
    with constructing() as construction:
        graph = finish(construction, "case", (sigmoid(image(5, 5, channels)),))
    plan = build_plan(graph, find_target("x86-64-v3"), PlanOptions(threads=2))
    check_plan(plan)
    rest = 25 * channels % 8
    ((number, split),) = splits(plan)
    bounds = cast("Bounds", split["bounds"])
    assert len(bounds) == (2 if rest else 1)
    assert bounds[0][0] < bounds[0][1] < bounds[0][2] == 25 * channels - rest
    others = [[*bounds[0]], *bounds[1:]]
    others[0][1] -= 8
    check_plan(exchanged(plan, number, {"by": "elements", "bounds": others}))
    others[0][1] += 1
    with pytest.raises(PlanError, match="not all of the loop"):
        check_plan(exchanged(plan, number, {"by": "elements", "bounds": others}))


def test_copies_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(division, "_MEETING_CYCLES", -1.0)
    with constructing() as construction:
        graph = finish(construction, "case", (identity(image(5, 5, 29)),))
    plan = build_plan(graph, find_target("x86-64-v3"), PlanOptions(threads=2))
    assert [step.kernel for step in plan.steps] == ["copy"]
    ((number, _),) = splits(plan)
    check_plan(plan)
    check_plan(exchanged(plan, number, {"by": "elements", "bounds": [[0, 1, 725]]}))


def test_one_thread_has_no_divisions() -> None:
    number, split = splits(good_plan())[0]
    with pytest.raises(PlanError, match="the kernel instance has the wrong parameters"):
        check_plan(replace(good_plan(), threads=1))
    one = replace(
        good_plan(),
        threads=1,
        instances=tuple(
            replace(i, parameters={k: v for k, v in i.parameters.items() if k != "split"})
            for i in good_plan().instances
        ),
    )
    check_plan(one)
    assert "threads" not in plan_to_json(one)
    with pytest.raises(PlanError, match="the kernel instance has the wrong parameters"):
        check_plan(exchanged(one, number, split))


def test_plans_of_too_many_threads_are_rejected() -> None:
    with pytest.raises(PlanError, match="no number of threads"):
        check_plan(replace(good_plan(), threads=65))


def test_plans_say_what_threads_do() -> None:
    assert plan_from_json(plan_to_json(good_plan())) == good_plan()
    text = "\n".join(plan_table(good_plan()))
    assert "2 threads share" in text
    assert "2 parts by rows" in text


def test_tiny_layers_are_not_divided() -> None:
    graph = run_pipeline(netgen.load("mobilenet_v2", alpha=0.35, input_size=64, classes=10))
    plan = build_plan(graph, find_target("x86-64-v3"), PlanOptions(threads=2))
    shared = {number for number, _ in splits(plan)}
    assert 0 < len(shared) < len(plan.instances)


@pytest.mark.parametrize("parts", [1, 2, 3, 5, 40])
def test_loops_are_divided_evenly_and_tied_iterations_stay(parts: int) -> None:
    loops = [Loop(0, 64, 8, 2.0), Loop(64, 69, 5, 1.0)]
    split = split_loops("pixels", loops, parts, {8})
    (tiles, rest) = split.bounds
    assert tiles[0] == 0
    assert tiles[-1] == 64
    assert (rest[0], rest[-1]) == (64, 69)
    assert len(tiles) == len(rest) == parts + 1
    owner = next(p for p in range(parts) if rest[p] < rest[p + 1])
    assert tiles[owner] < tiles[owner + 1] == 64
    assert split.share <= 1.0 / parts + 3.0 / 17.0


_LARGE = """netgen 1
graph large {
  %x : f32[1,96,96,16] = input
  %q : i8[1,96,96,16] {scale=0x1p-5} = quantize(%x) {scale=0x1p-5}
  %y : f32[1,96,96,16] = dequantize(%q)
  return %y
}
"""


def test_every_kernel_that_can_be_divided_states_its_loops() -> None:
    for kernel in KERNELS:
        divided = type(kernel).split is not Kernel.split
        assert (type(kernel).loops is not Kernel.loops) == divided, kernel.name


def test_conversions_are_divided() -> None:
    graph, _ = parse_graph(_LARGE)
    plan = build_plan(graph, find_target("generic"), PlanOptions(threads=2))
    assert [split["by"] for _, split in splits(plan)] == ["elements", "elements"]
    check_plan(plan)
