"""Codes in the plan interpreter's memory, and what the checker finds wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import netgen
import netgen.ops as dsl
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import PlanError
from netgen.kernels.targets import find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.plan import Plan
from netgen.plan.execute.interpreter import execute
from netgen.plan.execute.memory import Memory


@network
def codes() -> Tensor:
    q = dsl.quantize(image(4, 3, 4), 0.25, 7)
    return dsl.dequantize(dsl.pad(q, 1))


GRAPH = run_pipeline(netgen.load(codes))
PLAN = build_plan(GRAPH, find_target("generic"))
X = np.random.default_rng(3).normal(0.0, 9.0, (1, 4, 3, 4)).astype(np.float32)


def changed(plan: Plan, name: str, **fields: object) -> Plan:
    buffer = replace(plan.buffers[name], **fields)  # type: ignore[arg-type]  # of any field
    return replace(plan, buffers={**plan.buffers, name: buffer})


def test_codes_that_nobody_wrote_are_noticed() -> None:
    memory = Memory(PLAN)
    places = PLAN.elements("quantize", 0, 4)
    with pytest.raises(PlanError, match="%quantize is read where nobody has written"):
        memory.load("quantize", places)
    memory.store("quantize", places[:3], np.zeros(places[:3].shape, np.int8))
    assert memory.load("quantize", places[:3]).dtype == np.int8
    with pytest.raises(PlanError, match="nobody has written"):
        memory.load("quantize", places)


def test_a_bias_is_how_codes_stand_not_what_they_are() -> None:
    biased = changed(PLAN, "quantize", bias=128)
    check_plan(biased)
    plain, found = (execute(plan, GRAPH, {"image": X}) for plan in (PLAN, biased))
    for name, array in plain.items():
        np.testing.assert_array_equal(found[name], array)
    memory = Memory(biased)
    at = biased.elements("quantize", 0, 1)
    memory.store("quantize", at, np.full(at.shape, -128, np.int8))
    first = biased.buffers["quantize"].offset
    assert set(memory._bytes[":arena"][first : first + at.size].tolist()) == {0}
    assert biased.layout("quantize").border == 7 + 128


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda: changed(PLAN, "quantize", element_bytes=2), "elements of quantize are of another"),
        (lambda: changed(PLAN, "quantize", granularity=3), "no multiple of the granularity"),
        (lambda: changed(PLAN, "quantize", granularity=0), "no multiple of the granularity"),
        (lambda: changed(PLAN, "quantize", bias=256), "codes cannot stand with this bias"),
        (lambda: changed(PLAN, "image", bias=1), "codes cannot stand with this bias"),
        (
            lambda: changed(PLAN, "quantize", element_bytes=3, bytes=3 * 48),
            "the elements of quantize are of another size",
        ),
        (
            lambda: changed(PLAN, "quantize", offset=PLAN.buffers["pad"].offset),
            "they share memory while both are alive",
        ),
    ],
)
def test_the_checker_refuses(spoil: Callable[[], Plan], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        check_plan(spoil())
