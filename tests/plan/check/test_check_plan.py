from __future__ import annotations

from dataclasses import replace

import pytest

from netgen.errors import PlanError
from netgen.kernels.targets import find_target
from netgen.ops.relu import Relu
from netgen.plan.build import build_plan
from netgen.plan.check.check_contents import check_contents
from netgen.plan.check.check_plan import check_plan
from tests.plan.check.corruptions import CORRUPTIONS
from tests.plan.check.spoiled import at, buffer, good_plan, step, value
from tests.plan.small_graphs import BODIES, read


def test_the_uncorrupted_plan_is_accepted() -> None:
    check_plan(good_plan())


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corrupted_plans_are_rejected(name: str) -> None:
    corrupt, message = CORRUPTIONS[name]
    plan = good_plan()
    corrupted = corrupt(plan)
    assert corrupted != plan
    with pytest.raises(PlanError, match=message) as caught:
        check_plan(corrupted)
    assert "\n" not in str(caught.value)


def test_a_kernel_computes_only_its_own_operators() -> None:
    plan = build_plan(read(BODIES["branch"]), find_target("generic"))
    index = at(plan, "r")
    broken = step(plan, index, op=Relu(), constants={}, macs=0)
    with pytest.raises(PlanError, match="relu is computed by pointwise_f32"):
        check_plan(broken)


def test_each_output_needs_a_buffer_of_its_own() -> None:
    plan = build_plan(read(BODIES["two_outputs"]), find_target("generic"))
    check_plan(plan)
    with pytest.raises(PlanError, match="the outputs do not have one output buffer each"):
        check_plan(replace(plan, outputs=("y", "y")))


def test_an_input_is_never_written() -> None:
    plan = build_plan(read(BODIES["output_is_input"]), find_target("generic"))
    check_plan(plan)
    moved = value(plan, "a", runs=plan.values["image"].runs)
    buffers = {name: b for name, b in moved.buffers.items() if name != "a"}
    broken = replace(moved, buffers=buffers, outputs=("image.copy",))
    with pytest.raises(PlanError, match="step %a: writes into the input image"):
        check_plan(broken)


def test_contents_find_what_was_overwritten_without_looking_at_lives() -> None:
    plan = build_plan(read(BODIES["branch"]), find_target("generic"))
    check_contents(plan)
    # The branch that waits for the other is lost if the other takes its place.
    waiting, other = plan.steps[1].writes, plan.steps[2].writes
    broken = buffer(plan, other, offset=plan.buffers[waiting].offset)
    with pytest.raises(PlanError, match=f"%{waiting} is read, but its element 0 .* of %{other}$"):
        check_contents(broken)


def test_contents_find_what_was_never_written() -> None:
    plan = build_plan(read(BODIES["reshape_in_between"]), find_target("generic"))
    check_contents(plan)
    with pytest.raises(PlanError, match="is neither written nor a view"):
        check_contents(replace(plan, steps=plan.steps[1:]))
    late = replace(plan, steps=plan.steps[::-1])
    with pytest.raises(PlanError, match="found never written"):
        check_contents(late)


def test_contents_ask_what_a_view_shows() -> None:
    plan = build_plan(read(BODIES["output_is_reshape"]), find_target("generic"))
    check_contents(plan)
    unexplained = replace(plan.values["y"], view=None)
    with pytest.raises(PlanError, match="%y is neither written nor a view"):
        check_contents(replace(plan, values={**plan.values, "y": unexplained}))
    elsewhere = replace(plan.values["y"], runs=plan.values["image"].runs)
    with pytest.raises(PlanError, match="%y is read, but its element 0"):
        check_contents(replace(plan, values={**plan.values, "y": elsewhere}))
