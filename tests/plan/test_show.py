from __future__ import annotations

from collections.abc import Callable

import pytest

from netgen.kernels.targets import TARGETS, Target, find_target
from netgen.plan.build import build_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json
from netgen.plan.show import memory_table, plan_table
from tests.plan.small_graphs import BODIES, built, read


def test_golden(golden: Callable[[str, str], None]) -> None:
    graph = built("mobilenet_v2", alpha=0.35, input_size=32)
    lines = plan_table(build_plan(graph, find_target("generic")))
    golden("plan/mobilenet_v2_0.35_32_generic.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("network", "target"),
    [
        pytest.param(network, target, id=f"{network}-{target.name}", marks=heavy)
        for n, network in enumerate(("mobilenet_v1", "mobilenet_v2"))
        for m, target in enumerate(TARGETS)
        for heavy in [[pytest.mark.heavy] * (n == 0 or m % 2 == 0)]
    ],
)
def test_lines_are_plain_and_short(network: str, target: Target) -> None:
    plan = build_plan(built(network), target)
    lines = plan_table(plan)
    assert max(map(len, lines)) <= 100
    assert all(line == line.rstrip() and line.isascii() and line.isprintable() for line in lines)
    text = "\n".join(lines)
    for name, buffer in plan.buffers.items():
        assert f" {name}" in text
        assert f"{buffer.bytes:,}" in text
    assert f"arena {plan.certificate.arena_bytes:,} bytes" in text
    assert f"{plan.macs:,} MACs" in lines[0]
    assert lines == plan_table(plan_from_json(plan_to_json(plan)))


def test_steps_say_where_values_stand() -> None:
    plan = build_plan(read(BODIES["residual_is_its_input"]), find_target("generic"))
    text = "\n".join(plan_table(plan))
    assert "x image 6x5x4 input -> a 6x5x4 @0" in text
    assert "x a 6x5x4 @0, residual a 6x5x4 @0 -> d 6x5x4 @480" in text
    assert "x d 6x5x4 @480 -> y 6x5x4 output" in text
    assert "gap 0: proven optimal for this schedule and these overlaps" in text


def test_shared_memory_is_listed() -> None:
    plan = build_plan(read(BODIES["in_place_chain"]), find_target("generic"))
    shared = [line for line in memory_table(plan) if line.startswith("shared")]
    pairs = ["a + d", "d + e", "e + f"]
    assert [line.split("  ")[-1] for line in shared] == pairs


def test_memory_is_listed_by_steps_where_they_go_by_bands_too() -> None:
    """A life opens with the step that writes the buffer, or with those of the same segment."""
    graph = built("mobilenet_v2", alpha=0.35, input_size=32)
    plan = build_plan(graph, find_target("generic"), PlanOptions(ram=20_000))
    assert len(plan.segments) < len(plan.steps)
    lives = {}
    for line in memory_table(plan)[1:]:
        kind, *_, life, name = line.split()
        if kind != "shared":
            lives[name] = tuple(map(int, life.split("-")))
    assert max(last for _, last in lives.values()) == len(plan.steps) - 1
    for number, step in enumerate(plan.steps):
        first, last = lives[plan.buffer_of(step.writes).name]
        segment = next(s for s in plan.segments if s.first <= number <= s.last)
        assert first <= segment.first
        assert segment.last <= last


def test_a_long_name_is_wrapped() -> None:
    body = BODIES["two_outputs"].replace("%a", "%" + "long_name_" * 15)
    plan = build_plan(read(body), find_target("generic"))
    assert max(map(len, plan_table(plan))) <= 100


def test_a_step_shows_the_sizes_that_it_passes() -> None:
    graph = built("mobilenet_v2", alpha=0.35, input_size=32)
    plan = build_plan(graph, find_target("generic"), PlanOptions(small=True))
    text = " ".join(" ".join(plan_table(plan)).split())
    assert "sizes: height 16 width 16 channels 48 out_height 8 out_width 8" in text
