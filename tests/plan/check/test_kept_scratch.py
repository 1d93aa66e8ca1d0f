"""Sums that wait in scratch between bands: plans in which something else would write there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import netgen
import netgen.ops as dsl
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import PlanError
from netgen.ir.graph import Graph
from netgen.kernels.i8.global_avg_pool import GlobalAvgPoolI8
from netgen.kernels.split import Loop
from netgen.kernels.targets import find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_contents import check_contents
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.plan import Plan
from netgen.plan.execute.interpreter import execute
from netgen.plan.pareto import pareto
from tests.plan.check.spoiled import at, buffer, parameter, repacked, step

GENERIC = find_target("generic")
MEAN, SCRATCH = "global_avg_pool", "global_avg_pool:scratch"


@network
def mean_of_rows() -> Tensor:
    framed = dsl.pad(dsl.quantize(image(6, 5, 8), 0.25, 3), 1)
    return dsl.dequantize(dsl.global_avg_pool(framed, 0.5))


@cache
def planned() -> tuple[Graph, Plan]:
    """The network, and its plan of one segment of bands before the last step."""
    graph = run_pipeline(netgen.load(mean_of_rows))
    ram = pareto(graph, GENERIC)[-1].arena_bytes
    plan = build_plan(graph, GENERIC, PlanOptions(ram=ram))
    assert plan.steps[at(plan, MEAN)].scratch == SCRATCH
    return graph, plan


def good() -> Plan:
    return planned()[1]


def moved_to(name: str) -> Plan:
    """Scratch in the place of another buffer, which lives at the same time."""
    return repacked(buffer(good(), SCRATCH, offset=good().buffers[name].offset))


def shared() -> Plan:
    """Another step that uses the scratch between two bands."""
    return step(good(), at(good(), "pad"), scratch=SCRATCH)


def without() -> Plan:
    plan = step(good(), at(good(), MEAN), scratch=None)
    buffers = {name: b for name, b in plan.buffers.items() if name != SCRATCH}
    return repacked(replace(plan, buffers=buffers))


def shorter() -> Plan:
    return repacked(buffer(good(), SCRATCH, bytes=28, pitch=7))


def test_the_plan_itself_is_accepted() -> None:
    check_plan(good())
    assert good().buffers[SCRATCH].bytes == 32


@pytest.mark.parametrize("name", ["quantize", "pad", MEAN])
def test_scratch_stands_apart_from_whatever_lives_in_its_segment(name: str) -> None:
    with pytest.raises(PlanError, match="they share memory while both are alive"):
        check_plan(moved_to(name))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda: moved_to("quantize"), "lost between its bands.*found element 0 of %quantize"),
        (lambda: moved_to("pad"), "lost between its bands.*found element 56 of %pad"),
        (shared, "sums of the step's rows are lost between its bands.*found never written"),
        (without, "sums of the step's rows are lost between its bands.*found none"),
    ],
)
def test_contents_find_lost_sums_without_looking_at_lives(
    spoil: Callable[[], Plan], message: str
) -> None:
    check_contents(good())
    with pytest.raises(PlanError, match=message):
        check_contents(spoil())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without, "lost between its bands"),
        (shorter, "the scratch of the step has the wrong size, expected 32 bytes, found 28"),
        (shared, "lost between its bands"),
        (
            lambda: buffer(good(), SCRATCH, element_bytes=1, pitch=32),
            "elements of the step's scratch are of another size",
        ),
        (lambda: buffer(good(), SCRATCH, bias=7), "the scratch has a bias or a granularity"),
        (lambda: buffer(good(), SCRATCH, granularity=2), "the scratch has a bias or a granularity"),
        (lambda: buffer(good(), SCRATCH, last=1), "the buffer's life is not that of its values"),
    ],
)
def test_the_checker_refuses(spoil: Callable[[], Plan], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        check_plan(spoil())


@pytest.mark.parametrize("name", ["quantize", "pad"])
def test_the_interpreter_adds_up_what_stands_there(name: str) -> None:
    graph, plan = planned()
    x = np.random.default_rng(1).normal(0.0, 9.0, (1, 6, 5, 8)).astype(np.float32)
    expected = execute(plan, graph, {"image": x})[MEAN]
    found = execute(moved_to(name), graph, {"image": x})[MEAN]
    assert (found != expected).any()
    with pytest.raises(PlanError, match="sums of rows have no scratch to wait in"):
        execute(without(), graph, {"image": x})


def test_parts_that_are_no_channels_would_meet_in_the_sums(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = good().steps[at(good(), MEAN)].instance
    plan = replace(good(), threads=2)
    for number in range(len(plan.instances)):
        plan = parameter(plan, number, split=None)
    check_plan(parameter(plan, index, split={"by": "channels", "bounds": [[0, 4, 8]]}))
    monkeypatch.setattr(GlobalAvgPoolI8, "loops", lambda *_: (Loop(0, 8),))
    with pytest.raises(PlanError, match="parts by elements would meet in the sums of channels"):
        check_plan(parameter(plan, index, split={"by": "elements", "bounds": [[0, 4, 8]]}))
