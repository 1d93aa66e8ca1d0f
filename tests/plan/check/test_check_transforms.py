"""Transformed weights are read back: any that is wrong, or that makes sums too large, is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from netgen.errors import PlanError
from netgen.kernels import find_kernel
from netgen.kernels.panels import Transforms
from netgen.kernels.targets import find_target
from netgen.plan.check.check_transforms import check_transforms
from tests.kernels.i8.coded_calls import CodedCall
from tests.kernels.i8.product_layers import Window, call_of

WINOGRAD = find_kernel("winograd_i8")


def winograd_call(inputs: int, outputs: int, *, extremes: bool = False) -> CodedCall:
    window = Window((5, 6, inputs), outputs, (3, 3), pad=(1, 1, 1, 1))
    return replace(call_of(window, 4, extremes=extremes), kernel=WINOGRAD)


def transforms_of(call: CodedCall, target: str = "x86-64-v3") -> list[Transforms]:
    chosen = find_target(target)
    return [*WINOGRAD.transforms(call.layer, chosen, call.packed(chosen))]


def check(call: CodedCall, found: list[Transforms]) -> None:
    check_transforms("here", call.layer, {"w": call.values["w"]}, found)


@pytest.mark.parametrize("target", ["x86-64-v3", "x86-64-v4", "x86-64-v4-vnni"])
@pytest.mark.parametrize(("inputs", "outputs"), [(16, 16), (5, 33), (1, 1)])
def test_what_the_kernel_packs_is_right(inputs: int, outputs: int, target: str) -> None:
    call = winograd_call(inputs, outputs)
    check(call, transforms_of(call, target))


def test_each_number_is_looked_at() -> None:
    call = winograd_call(3, 11)
    found = transforms_of(call)
    assert found[0].points.shape[1:] == (36, 4)
    for number, each in enumerate(found):
        for at in range(0, each.points.size, 7):
            points = each.points.copy()
            points.ravel()[at] += 1
            spoilt = [*found]
            spoilt[number] = replace(each, points=points)
            with pytest.raises(PlanError, match="transformed weight is wrong"):
                check(call, spoilt)


def test_a_channel_that_is_missing_is_found() -> None:
    call = winograd_call(3, 30)
    found = transforms_of(call)
    assert len(found) > 1
    with pytest.raises(PlanError, match="never computed"):
        check(call, found[:-1])


def test_an_input_that_is_missing_or_comes_twice_is_found() -> None:
    call = winograd_call(4, 3)
    (each,) = transforms_of(call)
    missing = replace(each, inputs=each.inputs[:3], points=each.points[:, :, :3])
    twice = [*range(4), 2]
    doubled = replace(each, inputs=each.inputs[twice], points=each.points[:, :, twice])
    for spoilt in (missing, doubled):
        with pytest.raises(PlanError, match="not multiplied once each"):
            check(call, [spoilt])


def test_sums_that_do_not_fit_are_found() -> None:
    call = winograd_call(3641, 1)
    w = np.full_like(call.values["w"], -128)
    with pytest.raises(PlanError, match="too large"):
        check(replace(call, values={**call.values, "w": w}), [])
