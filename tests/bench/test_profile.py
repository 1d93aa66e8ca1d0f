"""Profiles: what is counted, which bound binds, and what a person sees."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from netgen.bench.limits import Level, Limits
from netgen.bench.machine import Machine
from netgen.bench.profile import Profile, StepProfile, profile
from netgen.bench.profile_table import profile_notes, profile_tables
from netgen.compiler import Lowered, load, lower
from netgen.ir.graph import Graph
from netgen.kernels.targets import find_target
from netgen.plan.data.execution_order import height
from netgen.plan.data.options import PlanOptions
from netgen.report.layers import layer_facts

EVERYTHING = 1e30
# With it some steps go by bands.
RAM = 24 * 1024


def limits(flops: float, near: float, far: float) -> Limits:
    """A core with an L1 of 1 kB, an L2 that holds any layer, and what is beyond."""
    levels = (Level("L1", 1000, near), Level("L2", 10**6, near), Level("beyond L2", 10**7, far))
    return Limits(flops, levels)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return load("mobilenet_v2", alpha=0.35, input_size=32, classes=10)


@cache
def lowered_once(graph: Graph, ram: int | None) -> Lowered:
    return lower(graph, find_target("generic"), PlanOptions(ram=ram, accept_gap=True))


def profiled(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, core: Limits, ram: int | None = RAM
) -> tuple[Lowered, Profile]:
    monkeypatch.setattr("netgen.bench.profile.measure_limits", lambda *_: core)
    lowered = lowered_once(graph, ram)
    return lowered, profile(graph, lowered, label="net", runs=3)


@pytest.mark.parametrize("ram", [pytest.param(None, marks=pytest.mark.heavy), RAM])
def test_every_step_counts_once_whatever_its_bands(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, ram: int | None
) -> None:
    lowered, found = profiled(graph, monkeypatch, limits(1e9, 1e9, 1e9), ram)
    plan = lowered.plan
    assert any(step.rows < height(plan, step) for step in plan.steps) == (ram is not None)
    assert len(found.steps) == len(plan.steps)
    assert sum(step.macs for step in found.steps) == graph.macs()
    for n, (step, facts) in enumerate(zip(found.steps, layer_facts(plan), strict=True)):
        assert step.us > 0
        assert step.name == f"{n} {facts.name}"  # as the hook counts
        assert (step.weight_bytes, step.activation_bytes) == (
            facts.weight_bytes, facts.activation_bytes,
        )  # fmt: skip
    assert found.clock_us > 0
    assert found.total().us == pytest.approx(sum(group.us for group in found.kernels()))
    assert sum(group.macs for group in found.kernels()) == graph.macs()


def test_what_binds(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    _, slow_fma = profiled(graph, monkeypatch, limits(1e3, EVERYTHING, EVERYTHING))
    for step in slow_fma.steps:
        if step.macs:
            assert step.bound_by == "fma"
            assert step.bound_us == pytest.approx(2e6 * step.macs / 1e3)
            assert step.achieved == pytest.approx(step.bound_us / step.us)
    # All weights and the arena together are beyond L2, what one layer touches is not.
    _, slow_memory = profiled(graph, monkeypatch, limits(EVERYTHING, EVERYTHING, 1e3))
    for step in slow_memory.steps:
        if step.weight_bytes:
            assert step.bound_by == "weights beyond L2"
            assert step.bound_us == pytest.approx(1e3 * step.weight_bytes)
    _, slow_caches = profiled(graph, monkeypatch, limits(EVERYTHING, 1e3, EVERYTHING))
    for step in slow_caches.steps:
        assert step.bound_by in {"activations L1", "activations L2"}
        assert step.bound_us == pytest.approx(1e3 * step.activation_bytes)


STEP = StepProfile("0 first", "pointwise_f32", "4×4×8", 10.0, 50_000, 4000, 8000, 8.0, "fma")
PROFILE = Profile(
    "net a=1",
    "int8",
    "x86-64-v3",
    limits(1e11, 2e11, 1e10),
    (
        STEP,
        replace(STEP, name="2 next", us=30.0, bound_us=20.0, bound_by="weights L2"),
        replace(STEP, name="3 pool", kernel="pool_f32", macs=0, weight_bytes=0, us=60.0),
    ),
    clock_us=0.5,
    runs=7,
)


def test_what_is_slow_and_what_kernels_add_up_to() -> None:
    assert STEP.gflops == pytest.approx(10.0)
    assert [step.slow for step in PROFILE.steps] == [False, True, True]
    pool, pointwise = PROFILE.kernels()
    assert (pool.name, pool.shape, pool.us) == ("pool_f32", "1 step", 60.0)
    assert (pointwise.shape, pointwise.us, pointwise.bound_us) == ("2 steps", 40.0, 28.0)
    assert (pointwise.macs, pointwise.bound_by) == (100_000, "weights L2")
    assert PROFILE.total().us == 100.0


def test_tables_and_notes() -> None:
    steps, kernels = profile_tables(PROFILE)
    assert [column.header for column in steps.columns][:3] == ["step", "kernel", "shape"]
    marks = list(steps.columns[-1].cells)
    assert marks == ["fma", "! weights L2", "! fma"]
    rates = list(steps.columns[6].cells)
    assert rates == ["10.0", "3.3", "-"]
    assert list(kernels.columns[0].cells) == ["pool_f32", "pointwise_f32", "total"]
    notes = "\n".join(profile_notes(PROFILE, Machine("A processor", "gcc 12", "x86-64-v3")))
    reads = ("100 GFLOP/s", "L2 200", "beyond L2 10")
    for text in (*reads, "7 runs", "100.0 µs", "int8, one thread, one core: A processor"):
        assert text in notes


def test_json_says_everything() -> None:
    found: Any = PROFILE.as_json()
    assert found.keys() == {
        "model", "precision", "target", "runs", "clock_us", "limits", "steps", "kernels", "total",
    }  # fmt: skip
    assert found["limits"]["flops"] == 1e11
    assert found["steps"][1]["slow"] is True
    assert found["steps"][0]["gflops"] == pytest.approx(10.0)
    assert found["kernels"][1]["achieved"] == pytest.approx(0.7)
