"""Codes in the plan interpreter's memory, and what the checker finds wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

import netgen
import netgen.kernels
import netgen.ops as dsl
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import PlanError
from netgen.ir.tensor_type import ELEMENTS
from netgen.kernels import KERNELS
from netgen.kernels.conversions.quantize import QuantizeKernel
from netgen.kernels.moves.pad import PadKernel
from netgen.kernels.targets import find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.plan import Plan
from netgen.plan.execute.interpreter import execute
from netgen.plan.execute.memory import Memory
from tests.plan.check.spoiled import buffer


@network
def codes() -> Tensor:
    q = dsl.quantize(image(4, 3, 4), 0.25, 7)
    return dsl.dequantize(dsl.pad(q, 1))


@network
def returned() -> Tensor:
    return dsl.quantize(image(4, 3, 4), 0.25, 7)


GRAPH = run_pipeline(netgen.load(codes))
PLAN = build_plan(GRAPH, find_target("generic"))
RETURNED = build_plan(run_pipeline(netgen.load(returned)), find_target("generic"))
X = np.random.default_rng(3).normal(0.0, 9.0, (1, 4, 3, 4)).astype(np.float32)


def test_codes_that_nobody_wrote_are_noticed() -> None:
    memory = Memory(PLAN)
    places = PLAN.elements("quantize", 0, 4)
    with pytest.raises(PlanError, match="%quantize is read where nobody has written"):
        memory.load("quantize", places)
    memory.store("quantize", places[:3], np.zeros(places[:3].shape, np.int8))
    assert memory.load("quantize", places[:3]).dtype == np.int8
    with pytest.raises(PlanError, match="nobody has written"):
        memory.load("quantize", places)


class QuantizeBiased(QuantizeKernel):
    """Writes unsigned bytes for signed codes."""

    name: ClassVar[str] = "quantize_biased"
    bias: ClassVar[Mapping[str, int]] = {"y": 128}


class PadBiased(PadKernel):
    """Reads unsigned bytes for signed codes, channels by two."""

    name: ClassVar[str] = "pad_biased"
    bias: ClassVar[Mapping[str, int]] = {"x": 128}
    granularity: ClassVar[Mapping[str, int]] = {"x": 2}


def biased_plan() -> Plan:
    """The plan with a bias of %quantize, and kernels that write it or read it."""
    kernels = {"quantize": "quantize_biased", "pad": "pad_biased"}
    steps = [replace(step, kernel=kernels.get(step.kernel, step.kernel)) for step in PLAN.steps]
    made = [replace(each, kernel=kernels.get(each.kernel, each.kernel)) for each in PLAN.instances]
    plan = replace(PLAN, steps=tuple(steps), instances=tuple(made))
    return buffer(plan, "quantize", bias=128, granularity=2)


def test_a_bias_is_how_codes_stand_not_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    quantize = QuantizeBiased()
    monkeypatch.setattr(netgen.kernels, "KERNELS", (*KERNELS, quantize, PadBiased()))
    biased = biased_plan()
    with pytest.raises(PlanError, match="quantize_biased does not expect the elements of y so"):
        check_plan(biased)
    monkeypatch.setattr(QuantizeBiased, "granularity", {"y": 2})
    check_plan(biased)
    plain, found = (execute(plan, GRAPH, {"image": X}) for plan in (PLAN, biased))
    for name, array in plain.items():
        np.testing.assert_array_equal(found[name], array)
    memory = Memory(biased)
    at = biased.elements("quantize", 0, 1)
    memory.store("quantize", at, np.full(at.shape, -128, np.int8))
    first = biased.buffers["quantize"].offset
    assert set(memory._bytes[":arena"][first : first + at.size].tolist()) == {0}
    assert biased.layout("quantize").border == 7 + 128 - 256


@pytest.mark.parametrize(
    ("dtype", "number", "wrapped"),
    [
        ("i8", 135, -121),
        ("i8", -129, 127),
        ("i8", 127, 127),
        ("u8", 260, 4),
        ("i16", 40000, -25536),
    ],
)
def test_numbers_wrap_into_the_range_of_their_type(dtype: str, number: int, wrapped: int) -> None:
    assert ELEMENTS[dtype].wrap(number) == wrapped
    assert np.array(number).astype(ELEMENTS[dtype].storage) == wrapped


def test_floats_stand_as_they_are_in_memory_whatever_the_bias() -> None:
    memory = Memory(buffer(PLAN, "image", bias=9))
    at = PLAN.elements("image", 0, 4)
    memory.store("image", at, X.reshape(at.shape))
    np.testing.assert_array_equal(memory.load("image", at), X.reshape(at.shape))


def test_kernels_read_and_write_codes_with_their_own_bias_only() -> None:
    for spoilt in (buffer(PLAN, "quantize", bias=7), buffer(PLAN, "quantize", granularity=2)):
        with pytest.raises(PlanError, match="quantize does not expect the elements of y so"):
            check_plan(spoilt)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda: buffer(PLAN, "quantize", element_bytes=2), "elements of quantize are of another"),
        (lambda: buffer(PLAN, "quantize", granularity=3), "no multiple of the granularity"),
        (lambda: buffer(PLAN, "quantize", granularity=0), "no multiple of the granularity"),
        (lambda: buffer(PLAN, "quantize", bias=256), "codes cannot stand with this bias"),
        (lambda: buffer(PLAN, "image", bias=1), "f32 stands without a bias"),
        (lambda: buffer(PLAN, "image", granularity=2), "f32 stands without a bias"),
        (lambda: buffer(RETURNED, "quantize", bias=1), "the caller's elements stand without"),
        (lambda: buffer(RETURNED, "quantize", granularity=2), "caller's elements stand without"),
        (
            lambda: buffer(PLAN, "quantize", element_bytes=3, bytes=3 * 48),
            "the elements of quantize are of another size",
        ),
        (
            lambda: buffer(PLAN, "quantize", offset=PLAN.buffers["pad"].offset),
            "they share memory while both are alive",
        ),
    ],
)
def test_the_checker_refuses(spoil: Callable[[], Plan], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        check_plan(spoil())
