"""Scratch: memory that a kernel has for one step, as planned, as checked, as executed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import netgen
from netgen.compiler import lower
from netgen.errors import PlanError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.kernels.targets import find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_contents import check_contents
from netgen.plan.check.check_instances import check_instances
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.plan import Plan
from netgen.plan.execute.interpreter import execute
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json

TARGET = find_target("x86-64-v4")


@pytest.fixture(scope="module")
def graph() -> Graph:
    return netgen.load("resnet20")


@pytest.fixture(scope="module")
def plan(graph: Graph) -> Plan:
    return lower(graph, TARGET).plan


def with_scratch(plan: Plan) -> list[int]:
    return [n for n, step in enumerate(plan.steps) if step.scratch is not None]


def changed(plan: Plan, index: int, scratch: str | None) -> Plan:
    steps = list(plan.steps)
    steps[index] = replace(steps[index], scratch=scratch)
    return replace(plan, steps=tuple(steps))


def test_it_lives_as_long_as_its_step(plan: Plan) -> None:
    assert len(with_scratch(plan)) > 10
    for index in with_scratch(plan):
        buffer = plan.buffers[plan.steps[index].scratch or ""]
        (segment,) = (n for n, s in enumerate(plan.segments) if s.first <= index <= s.last)
        assert (buffer.kind, buffer.first, buffer.last) == ("arena", segment, segment)


def test_values_survive_it(graph: Graph, plan: Plan) -> None:
    """The interpreter poisons it after a step has read, before it writes."""
    image = np.random.default_rng(1).standard_normal(graph.inputs[0].type.shape)
    found = execute(plan, run_pipeline(graph), {graph.inputs[0].name: image.astype(np.float32)})
    expected = interpret(graph, {graph.inputs[0].name: image.astype(np.float32)})
    (output,) = graph.outputs
    np.testing.assert_allclose(found[output], expected[output], atol=1e-4)


def test_the_interpreter_sees_where_it_is_wrong(graph: Graph, plan: Plan) -> None:
    index = with_scratch(plan)[0]
    step = plan.steps[index]
    assert step.scratch is not None
    # On its operand, which the next step adds.
    home = plan.buffer_of(plan.steps[index].reads["x"])
    buffers = {
        **plan.buffers,
        step.scratch: replace(home, name=step.scratch),
    }
    image = np.ones(graph.inputs[0].type.shape, np.float32)
    found = execute(
        replace(plan, buffers=buffers), run_pipeline(graph), {graph.inputs[0].name: image}
    )
    assert np.isnan(found[graph.outputs[0]]).any()


def test_json_keeps_it(plan: Plan) -> None:
    assert plan_from_json(plan_to_json(plan)) == plan


def test_each_thread_has_its_own(graph: Graph, plan: Plan) -> None:
    divided = build_plan(run_pipeline(graph), TARGET, PlanOptions(threads=3))
    check_plan(divided)
    for index in with_scratch(plan):
        name = plan.steps[index].scratch or ""
        assert divided.buffers[name].bytes == 3 * plan.buffers[name].bytes


def test_the_checker_wants_it_where_the_kernel_does(plan: Plan) -> None:
    first = with_scratch(plan)[0]
    with pytest.raises(PlanError, match="no buffer nowhere"):
        check_plan(changed(plan, first, "nowhere"))
    with pytest.raises(PlanError, match="no step uses this buffer"):
        check_plan(changed(plan, first, None))


def test_no_two_steps_share_it(plan: Plan) -> None:
    first, *others = with_scratch(plan)
    size = plan.buffers[plan.steps[first].scratch or ""].bytes
    other = next(n for n in others if plan.buffers[plan.steps[n].scratch or ""].bytes == size)
    with pytest.raises(PlanError, match="the scratch of the step has the wrong size"):
        check_instances(changed(plan, first, None), TARGET)
    with pytest.raises(PlanError, match="the scratch is not the step's own"):
        check_instances(changed(plan, first, plan.steps[other].scratch), TARGET)


def test_the_checker_sees_what_it_destroys(plan: Plan) -> None:
    """Contents alone, without lives and rectangles, name the value that is lost."""
    for index in with_scratch(plan):
        step = plan.steps[index]
        kept = [v for v in plan.steps[index + 1].reads.values() if v != step.writes]
        if not kept:
            continue
        home = plan.buffer_of(kept[0])
        if home.kind != "arena" or step.scratch is None:
            continue
        moved = replace(plan.buffers[step.scratch], offset=home.offset)
        with pytest.raises(PlanError, match="does not hold it"):
            check_contents(replace(plan, buffers={**plan.buffers, step.scratch: moved}))
        return
    raise AssertionError("no step keeps anything beside its operand")


@pytest.mark.parametrize("place", ["result", "operand", "residual"])
def test_the_checker_keeps_it_off_what_lives(plan: Plan, place: str) -> None:
    """Off the step's own result and operands as well, on which `check_contents` allows it."""
    letters = {"operand": "x", "residual": "residual"}
    for index in with_scratch(plan):
        step = plan.steps[index]
        value = step.writes if place == "result" else step.reads.get(letters[place])
        if value is None or plan.buffer_of(value).kind != "arena" or step.scratch is None:
            continue
        home, scratch = plan.buffer_of(value), plan.buffers[step.scratch]
        if home.offset + scratch.bytes > plan.certificate.arena_bytes:
            continue
        moved = {**plan.buffers, step.scratch: replace(scratch, offset=home.offset)}
        with pytest.raises(PlanError, match="they share memory while both are alive"):
            check_plan(replace(plan, buffers=moved))
        return
    raise AssertionError(f"no step has a {place} that leaves room for its scratch")
