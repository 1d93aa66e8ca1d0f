"""Sums and products of codes in float32: every pair of codes is that of the integers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.ir.tensor_type import Array
from netgen.kernels.i8.real_forms import RealForm, real_form
from netgen.kernels.targets import Target, find_target
from netgen.ops.broadcast import Broadcast
from netgen.ops.mul import Mul
from netgen.plan.build import build_plan
from netgen.runtime.cpu import native_target
from tests.cases import heavy
from tests.emission.programs import emission
from tests.kernels.i8.elementwise import Case, Draw, between_floats, graph_of
from tests.tools import require_processor

V3 = find_target("x86-64-v3")


def form_of(case: Case) -> RealForm | None:
    assert isinstance(case.op, Broadcast)
    a, b = (kind.with_shape(()) for kind in case.kinds)
    return real_form(case.op, a, b, case.y.with_shape(()))


def all_pairs(seed: int, count: int) -> Iterator[Case]:
    """Cases whose operands are all pairs of codes, and that have a form."""
    draw, shape = Draw(seed), (1, 32, 32, 64)
    for name in ("add", "sub", "mul"):
        for case in draw.cases(name, count):
            if form_of(case) is None:
                continue
            kinds = tuple(kind.with_shape(shape) for kind in case.kinds)
            codes = [np.arange(kind.element.low, kind.element.high + 1) for kind in kinds]
            a, b = np.meshgrid(*codes)
            stored = tuple(
                array.reshape(shape).astype(kind.element.storage)
                for array, kind in zip((a, b), kinds, strict=True)
            )
            y = case.y.with_shape(shape)
            yield replace(case, kinds=kinds, codes=stored, y=y, constant=frozenset())


@pytest.mark.parametrize("count", [12, heavy(300)])
@pytest.mark.parametrize(("name", "share"), [("add", 0.98), ("sub", 0.98), ("mul", 0.9)])
def test_most_have_a_form(name: str, share: float, count: int) -> None:
    found = [form_of(case) is not None for case in Draw(7).cases(name, count)]
    assert sum(found) >= int(share * count)


def test_a_form_is_right_by_plain_arithmetic() -> None:
    """Without fused operations, and written anew; factors far away are not right."""
    for case in all_pairs(11, 2):
        form, wanted = form_of(case), case.reference()
        assert form is not None
        assert np.array_equal(computed(case, form), wanted)
        off = replace(form, factors=tuple(factor * 1.01 for factor in form.factors))
        if len(np.unique(wanted)) > 60:
            assert not np.array_equal(computed(case, off), wanted)


def computed(case: Case, form: RealForm) -> Array:
    a, b = (
        codes.astype(np.float32) - np.float32(kind.zero)
        for codes, kind in zip(case.codes, case.kinds, strict=True)
    )
    first, *rest = map(np.float32, form.factors)
    sign = np.float32(-1 if case.op.operator_name == "sub" else 1)
    real = a * b * first if isinstance(case.op, Mul) else a * first + sign * (b * rest[0])
    half = np.float32(form.half)
    codes = np.trunc(np.where(real < 0, real - half, real + half)).astype(int) + case.y.zero
    limits = {"none": (-1e9, 1e9), "relu": (0, 1e9), "relu6": (0, 6), "relu_n1_to_1": (-1, 1)}
    assert isinstance(case.op, Broadcast)
    scale = np.float32(case.op.scale)
    low, high = (
        np.copysign(np.floor(abs(np.float32(limit) / scale) + 0.5), limit) + case.y.zero
        for limit in limits[case.op.act]
    )
    bounds = case.y.element
    clamped: Array = np.clip(codes, max(low, bounds.low), min(high, bounds.high)).astype(int)
    return clamped


@pytest.mark.parametrize("target", [native_target(), heavy(V3)], ids=lambda target: target.name)
@pytest.mark.parametrize("count", [2, heavy(20)])
def test_all_pairs_in_c(target: Target, count: int) -> None:
    require_processor(target.name)
    cases = list(all_pairs(13, count))
    graph = graph_of(cases)
    kernels = {step.kernel for step in build_plan(graph, target).steps}
    if target.tiling("f32").vector_types:
        assert kernels == {"sum_real_i8", "mul_real_i8"}
    model = netgen.compile(graph, target=target.name)
    found = model(*(codes[0] for case in cases for codes in case.codes))
    for array, case in zip(found, cases, strict=True):
        np.testing.assert_array_equal(array.ravel(), case.reference().ravel(), err_msg=str(case.op))


@pytest.mark.parametrize(
    "flags",
    [
        ("gcc", "-O2", "-march=x86-64-v3", "-ffp-contract=fast"),
        heavy(("gcc", "-O3", "-march=x86-64-v3", "-ffp-contract=off")),
        heavy(("clang", "-O2", "-march=x86-64-v3", "-ffp-contract=on")),
        heavy(("gcc", "-O1")),
    ],
    ids=" ".join,
)
def test_all_pairs_with_any_flags(flags: tuple[str, ...], tmp_path: Path) -> None:
    cases = list(all_pairs(17, 2))
    graph, inputs = between_floats(cases)
    made = emission(graph, "x86-64-v3")
    program = made.build(tmp_path, [flags[0], "-std=c99", *flags[1:]])
    for array, case in zip(made.run(program, inputs).values(), cases, strict=True):
        quantisation = case.y.quantisation
        assert quantisation is not None
        assert isinstance(quantisation.scale, float)
        real = quantisation.scale * (case.reference().astype(np.float64) - quantisation.zero)
        np.testing.assert_array_equal(array, real.astype(np.float32))
