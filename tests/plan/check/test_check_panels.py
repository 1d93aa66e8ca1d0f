"""Packed products are read back: a weight that is wrong or would saturate is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from netgen.errors import PlanError
from netgen.ir.tensor_type import Array
from netgen.kernels.panels import Panel
from netgen.kernels.targets import find_target
from netgen.plan.check.check_panels import check_panels
from tests.kernels.i8.coded_calls import CodedCall
from tests.kernels.i8.product_layers import Window, call_of

V3 = find_target("x86-64-v3")
WINDOWS = [
    Window((5, 5, 8), 20),
    Window((6, 7, 5), 11, (3, 3), (2, 1), (1, 1, 1, 1)),
    Window((9, 9, 3), 8, (2, 3), (1, 2), (0, 1, 1, 0), (2, 2)),
    Window((4, 1, 6), 9, (3, 1), pad=(1, 1, 0, 0)),
]


def narrow_weights(call: CodedCall) -> CodedCall:
    """The call with weights so small that most groups are added up in twos."""
    draw = np.random.default_rng(5)
    w = np.clip(np.rint(draw.normal(0, 20, call.values["w"].shape)), -127, 127)
    return replace(call, values={**call.values, "w": w.astype(np.int8)})


def panels_of(call: CodedCall, packed: Array) -> list[Panel]:
    return [*call.kernel.panels(call.layer, V3, packed)]


def check(call: CodedCall, panels: list[Panel]) -> None:
    check_panels("here", call.layer, {"w": call.values["w"]}, panels)


def small(window: Window = WINDOWS[1]) -> CodedCall:
    return narrow_weights(call_of(window, 3, w_zero=0))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("w_zero", [0, -127, 77])
@pytest.mark.parametrize("target", ["x86-64-v3", "x86-64-v4", "x86-64-v4-vnni"])
def test_what_kernels_pack_is_right(window: Window, w_zero: int, target: str) -> None:
    call = call_of(window, 2, w_zero=w_zero)
    packed = call.packed(find_target(target))
    panels = call.kernel.panels(call.layer, find_target(target), packed)
    assert sum((panel.channels >= 0).sum() for panel in panels) == window.outputs
    check_panels("here", call.layer, {"w": call.values["w"]}, panels)


@pytest.mark.parametrize("window", WINDOWS)
def test_each_weight_is_looked_at(window: Window) -> None:
    call = small(window)
    panels = panels_of(call, call.packed(V3))
    assert panels[0].terms[0].weights.size
    for number, panel in enumerate(panels):
        for kind, terms in enumerate(panel.terms):
            for at in range(0, terms.weights.size, 13):
                weights = terms.weights.copy()
                weights.ravel()[at] += 1
                changed = [*panel.terms]
                changed[kind] = replace(terms, weights=weights)
                spoilt = [*panels]
                spoilt[number] = replace(panel, terms=tuple(changed))
                with pytest.raises(PlanError, match=r"packed as it is|no input"):
                    check(call, spoilt)


def test_a_wrong_order_is_found() -> None:
    call = small()
    panels = panels_of(call, call.packed(V3))
    terms = panels[0].terms[0]
    swapped = replace(terms, inputs=np.roll(terms.inputs, 1, axis=0))
    wrong = replace(panels[0], terms=(swapped, *panels[0].terms[1:]))
    with pytest.raises(PlanError, match=r"packed as it is|no input"):
        check(call, [wrong, *panels[1:]])


def test_a_sum_that_saturates_is_found() -> None:
    call = small(WINDOWS[0])
    panels = panels_of(call, call.packed(V3))
    (wide,) = (terms for terms in panels[0].terms if not terms.narrow)
    twos = panels[0].terms[0]
    heavy = twos.weights.copy()
    heavy[0, 0] = [65, 64, 0, 0]
    w = call.values["w"].reshape(len(call.values["w"]), -1).copy()
    channel = int(panels[0].channels[0])
    w[channel, twos.inputs[0]] = heavy[0, 0]
    terms = (replace(twos, weights=heavy), *panels[0].terms[1:-1], wide)
    spoilt = replace(call, values={**call.values, "w": w.reshape(call.values["w"].shape)})
    with pytest.raises(PlanError, match="int16 saturate"):
        check(spoilt, [replace(panels[0], terms=terms), *panels[1:]])


def test_a_panel_that_is_missing_is_found() -> None:
    call = small()
    panels = panels_of(call, call.packed(V3))
    with pytest.raises(PlanError, match="packed as it is"):
        check(call, panels[:-1])
