"""Functions that layers of several sizes share: which, what they are passed, who is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

import netgen
from netgen.errors import PlanError
from netgen.ir.graph import Graph
from netgen.kernels.layer import Instance
from netgen.kernels.targets import find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.plan import Plan, Step
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json
from tests.plan.small_graphs import BODIES, read

TARGET = find_target("generic")


@cache
def mobilenet() -> Graph:
    return run_pipeline(netgen.load("mobilenet_v1", alpha=0.25, input_size=32, classes=10))


@cache
def small_plan() -> Plan:
    return build_plan(mobilenet(), TARGET, PlanOptions(small=True))


def depthwise(plan: Plan) -> list[Step]:
    return [step for step in plan.steps if step.op.operator_name == "depthwise_conv2d"]


def test_depthwise_layers_have_one_function() -> None:
    steps, plan = depthwise(small_plan()), small_plan()
    assert len(steps) == 13
    (number,) = {step.instance for step in steps}
    assert plan.instances[number].name == "depthwise_any_relu6"
    assert [step.sizes["x_pitch"] for step in steps[:4]] == [8, 16, 32, 32]
    # Nothing that is the same for all layers is passed.
    assert "kernel_rows" not in steps[0].sizes
    assert plan.instances[number].parameters["kernel_rows"] == 3
    check_plan(plan)


def test_only_steps_of_shared_functions_pass_sizes() -> None:
    plan = small_plan()
    for step in plan.steps:
        assert tuple(step.sizes) == (plan.instances[step.instance].sizes or ())


def test_plans_without_the_option_share_nothing() -> None:
    plan = build_plan(mobilenet(), TARGET)
    assert all(instance.sizes is None for instance in plan.instances)
    assert len({step.instance for step in depthwise(plan)}) > 5


def test_one_layer_keeps_a_function_of_its_own() -> None:
    plan = build_plan(read(BODIES["branch"]), TARGET, PlanOptions(small=True))
    (number,) = [step.instance for step in depthwise(plan)]
    assert plan.instances[number].kernel == "depthwise_conv2d_loops_f32"
    assert plan.instances[number].sizes is None
    assert plan.instances[number].name == "depthwise_3x3_6x5x4"


@pytest.mark.parametrize("options", [{}, {"input": "rows"}, {"threads": 2}], ids=str)
def test_plans_come_back_from_json(options: dict[str, Any]) -> None:
    plan = build_plan(mobilenet(), TARGET, PlanOptions(small=True, **options))
    check_plan(plan)
    assert plan_from_json(plan_to_json(plan)) == plan


def test_memory_is_that_of_the_plan_without() -> None:
    assert small_plan().certificate == build_plan(mobilenet(), TARGET).certificate


def spoiled(plan: Plan, change: Callable[[Step], Step]) -> Plan:
    place = plan.steps.index(depthwise(plan)[1])
    steps = [change(s) if n == place else s for n, s in enumerate(plan.steps)]
    return replace(plan, steps=tuple(steps))


def of_instance(plan: Plan, change: Callable[[Instance], Instance]) -> Plan:
    number = depthwise(plan)[1].instance
    instances = [change(each) if n == number else each for n, each in enumerate(plan.instances)]
    return replace(plan, instances=tuple(instances))


WRONG: dict[str, tuple[Callable[[Plan], Plan], str]] = {
    "another_width": (
        lambda p: spoiled(p, lambda s: replace(s, sizes={**s.sizes, "width": 17})),
        "has the wrong sizes",
    ),
    "a_size_too_few": (
        lambda p: spoiled(p, lambda s: replace(s, sizes={"width": 16})),
        "has the wrong sizes",
    ),
    "no_sizes": (lambda p: spoiled(p, lambda s: replace(s, sizes={})), "has the wrong sizes"),
    "a_constant_that_varies": (
        lambda p: of_instance(p, lambda i: replace(i, sizes=(i.sizes or ())[1:])),
        "has the wrong sizes",
    ),
    "no_such_size": (
        lambda p: of_instance(p, lambda i: replace(i, sizes=(*(i.sizes or ()), "act"))),
        "shares no function of these sizes",
    ),
    "another_constant": (
        lambda p: of_instance(
            p, lambda i: replace(i, parameters={**i.parameters, "kernel_rows": 5})
        ),
        "has the wrong kernel_rows",
    ),
    "restrict_where_one_layer_overwrites": (
        lambda p: of_instance(p, lambda i: replace(i, parameters={**i.parameters, "aliased": []})),
        "has the wrong aliased",
    ),
    "for_one_layer_only": (
        lambda p: of_instance(p, lambda i: replace(i, sizes=None)),
        "has the wrong sizes",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_sizes_are_refused(name: str) -> None:
    corrupt, message = WRONG[name]
    with pytest.raises(PlanError, match=message):
        check_plan(corrupt(small_plan()))


def test_sizes_where_nothing_is_shared_are_refused() -> None:
    plan = build_plan(mobilenet(), TARGET)
    with pytest.raises(PlanError, match="has the wrong sizes"):
        check_plan(spoiled(plan, lambda s: replace(s, sizes={"width": 1})))


def test_a_kernel_that_shares_nothing() -> None:
    plan = small_plan()
    pointwise = next(s for s in plan.steps if s.kernel == "pointwise_f32")
    instances = [
        replace(each, sizes=()) if n == pointwise.instance else each
        for n, each in enumerate(plan.instances)
    ]
    with pytest.raises(PlanError, match="pointwise_f32 shares no function of these sizes"):
        check_plan(replace(plan, instances=tuple(instances)))
