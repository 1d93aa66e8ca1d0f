"""Budgets of scratch: which choices of kernels a plan takes, and who judges them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

import netgen
from netgen.compiler import lower
from netgen.errors import PlanError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.kernels import find_kernel
from netgen.kernels.targets import find_target
from netgen.passes import run_pipeline
from netgen.plan.budget import Cutter
from netgen.plan.check.check_instances import check_instances
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.options import Image, PlanOptions
from netgen.plan.data.plan import Plan
from netgen.plan.data.step_layer import step_layer
from netgen.plan.data.tuning import Tuning, layer_key
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json
from netgen.plan.schedule.schedule import schedule
from netgen.plan.segments.fastest_cut import segment_choices
from netgen.plan.segments.lean_choices import GrowingSteps, LeanStep
from netgen.tune.search import case_of, distinct_cases
from tests.cases import heavy
from tests.quantisation.networks import seeded, thin
from tests.quantisation.test_quantise import quantised

DSP = find_target("cortex-m-dsp")
RESNET = "mlperf_tiny/pretrainedResnet_quant.tflite"
VWW = "mlperf_tiny/vww_96_int8.tflite"
KWS = "mlperf_tiny/kws_ref_model.tflite"
MOBILENET = "tflite_models/mobilenet_v2_1.0_224_ptq.tflite"


@cache
def codes() -> Graph:
    return quantised(seeded(thin)).graph


def planned(graph: Graph, options: PlanOptions) -> Plan:
    return lower(graph, DSP, options).plan


def arena(plan: Plan) -> int:
    return plan.certificate.arena_bytes


def cycles(plan: Plan) -> float:
    """Cycles by the estimates of kernels, without calls and caches."""
    return sum(
        find_kernel(step.kernel).cost(step_layer(plan, step, operand_types(plan, step)), DSP)
        for step in plan.steps
    )


# Those of `generic`, whose kernels have no scratch, are 16,896, 14,208, 28,032 and 14,592, 9,600,
# 129,024, 204,288 and 131,040.
@pytest.mark.parametrize(
    ("file", "image", "expected"),
    [
        (RESNET, "caller", 17_644),
        (VWW, "caller", 14_236),
        heavy(VWW, "arena", 28_060),
        heavy(VWW, "rows", 14_592),
        heavy(KWS, "caller", 9_600),
        heavy(MOBILENET, "caller", 129_052),
        heavy(MOBILENET, "arena", 204_316),
        heavy(MOBILENET, "rows", 131_068),
    ],
)
def test_the_smallest_arenas_of_trained_networks(
    file: str, image: Image, expected: int, shared_data: Path
) -> None:
    graph = netgen.load(str(shared_data / file))
    assert arena(planned(graph, PlanOptions(ram="least", input=image))) == expected


def test_a_budget_takes_only_what_it_must() -> None:
    free, least = planned(codes(), PlanOptions()), planned(codes(), PlanOptions(ram="least"))
    assert all(step.choice is None for step in free.steps)
    assert any(step.choice is not None for step in least.steps)
    assert arena(least) < arena(free) // 2
    between = (arena(free) + arena(least)) // 2
    plans = [least, planned(codes(), PlanOptions(ram=between)), free]
    assert arena(plans[1]) <= between
    assert arena(least) < arena(plans[1])
    estimates = [cycles(plan) for plan in plans]
    assert estimates[0] > estimates[1] > estimates[2]
    # As much RAM as the fastest takes, and more, gives the fastest.
    for ram in (arena(free), 2 * arena(free)):
        assert cycles(planned(codes(), PlanOptions(ram=ram))) == estimates[2]


def test_outputs_stay() -> None:
    images = np.random.default_rng(5).standard_normal((2, 12, 12, 3)).astype(np.float32)
    for target in ("cortex-m-dsp", "cortex-m"):
        model = netgen.compile(codes(), target=target, ram="least")
        for x in images:
            name, (y,) = codes().inputs[0].name, codes().outputs
            expected = interpret(codes(), {name: x[None]})[y].astype(np.float32)
            np.testing.assert_array_equal(np.asarray(model(x)), expected[0])


def test_choices_are_in_the_plans_json() -> None:
    plan = planned(codes(), PlanOptions(ram="least"))
    assert plan_from_json(plan_to_json(plan)) == plan


def test_the_checker_wants_the_scratch_of_the_choice() -> None:
    plan = planned(codes(), PlanOptions(ram=arena(planned(codes(), PlanOptions())) // 2))
    index = next(n for n, step in enumerate(plan.steps) if step.choice and step.scratch)
    step = plan.steps[index]
    assert step.scratch is not None
    scratch = plan.buffers[step.scratch]
    for size in (scratch.bytes - 4, scratch.bytes + 4):
        wrong = replace(scratch, bytes=size, pitch=size // 4)
        with pytest.raises(PlanError, match="the scratch of the step has the wrong size"):
            check_instances(replace(plan, buffers={**plan.buffers, step.scratch: wrong}), DSP)
    for choice, message in ((None, "the wrong size"), ({"pixels": 7}, "offers no such choice")):
        steps = [*plan.steps]
        steps[index] = replace(step, choice=choice)
        with pytest.raises(PlanError, match=message):
            check_instances(replace(plan, steps=tuple(steps)), DSP)


def test_a_tuning_takes_no_more_scratch() -> None:
    """It names the kernels' own choices, and the leanest."""
    least = planned(codes(), PlanOptions(ram="least"))
    free = planned(codes(), PlanOptions())
    both: tuple[tuple[Plan, Literal["least"] | None], ...] = ((least, "least"), (free, None))
    for plan, ram in both:
        cases = {
            layer_key(find_kernel(step.kernel), step_layer(plan, step, operand_types(plan, step))):
            case_of(plan, step)
            for step in plan.steps
            if step.weights
        }  # fmt: skip
        for which in (0, -1):
            ways = {key: c.kernel.choices(c.layer, DSP)[which] for key, c in cases.items()}
            tuned = planned(codes(), PlanOptions(ram=ram, tuning=Tuning(DSP.name, ways)))
            assert arena(tuned) <= arena(plan)
            with_scratch = [step for step in tuned.steps if step.scratch and step.weights]
            assert which == 0 or all(step.choice is not None for step in with_scratch)
    # Nothing that needs more is timed.
    for steps in distinct_cases(least, DSP).values():
        assert case_of(least, steps[0]).layer.choice is not None


def test_numbers_of_steps_are_the_fastest_for_their_bytes() -> None:
    """Two calls with convex costs, beside all pairs of their choices."""
    costs = {0: [(900, 0.0), (500, 40.0), (100, 200.0)], 1: [(700, 0.0), (600, 5.0), (0, 300.0)]}
    growing, made = GrowingSteps(), GrowingSteps().add([])
    for call, points in costs.items():
        made = growing.add(
            [
                LeanStep((c - before[1]) / (before[0] - size), call, n, before[0] - size,
                         c - before[1], (("level", n + 1),))
                for n, (before, (size, c)) in enumerate(pairwise(points))
            ]
        )  # fmt: skip
    pairs = [(a[0] + b[0], a[1] + b[1]) for a, b in product(*costs.values())]
    assert len(made.saved) == 5
    for number, (saved, lost) in enumerate(zip(made.saved, made.lost, strict=True)):
        assert lost == min(time for size, time in pairs if size <= 1600 - saved)
        assert made.needed(saved) == number
        assert set(made.choices(number)) <= {0, 1}
    assert made.needed(1501) is None


@pytest.mark.heavy
def test_more_ram_is_never_slower(shared_data: Path) -> None:
    graph = run_pipeline(netgen.load(str(shared_data / RESNET)))
    scheduled = schedule(graph, DSP)
    cutter = Cutter(scheduled, segment_choices(scheduled, DSP, push=False), DSP.alignment)
    found = [cutter.fitting(ram) for ram in range(18_000, 60_000, 3_000)]
    times = [cutter.cycles(cut) for cut in found if cut is not None]
    assert len(times) == len(found)
    assert times == sorted(times, reverse=True)
    assert times[0] > 1.3 * times[-1]
