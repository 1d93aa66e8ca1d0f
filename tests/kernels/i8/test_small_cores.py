"""Products and depthwise convolutions of small processors: the plain twins, on this machine.

`tests/firmware` runs the instructions of Cortex-M, on the same calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netgen.kernels import select_kernel
from netgen.kernels.targets import find_target
from tests.cases import heavy
from tests.emission.programs import SANITIZERS, WARNINGS
from tests.kernels.i8.coded_calls import CodedCall, run_coded
from tests.kernels.i8.product_layers import Window, call_of
from tests.kernels.i8.small_cores import (
    DOT_PLANES,
    DOTS,
    PAIRS,
    PLANES,
    SMALL,
    depthwise_calls,
    dot_calls,
    product_calls,
    ways,
)
from tests.tools import any_compiler


def check(calls: Sequence[CodedCall], target: str, folder: Path, command: Sequence[str]) -> None:
    """Every code is that of the operator's meaning."""
    found = run_coded(calls, find_target(target), folder, [*command, "-std=c99", *WARNINGS])
    for call, y in zip(calls, found, strict=True):
        np.testing.assert_array_equal(y, call.expected(), repr(call))


def both(target: str, count: int, first: int = 0) -> list[CodedCall]:
    """Calls of both kernels."""
    planes = depthwise_calls(find_target(target), count, first)
    return [*product_calls(count, first), *planes]


@pytest.mark.parametrize("target", ["cortex-m", "cortex-m-dsp"])
def test_random_layers_layouts_and_bands(target: str, tmp_path: Path) -> None:
    calls = both(target, 9)
    for kernel in (PAIRS, PLANES):
        own = [call for call in calls if call.kernel is kernel]
        assert ways(own, find_target(target)) == {0, 1}
    check(calls, target, tmp_path, [any_compiler(), "-O1"])


def test_the_twins_of_helium(tmp_path: Path) -> None:
    chosen = find_target("cortex-m-mve")
    calls = dot_calls(chosen, 24)
    for kernel in (DOTS, DOT_PLANES):
        own = [call for call in calls if call.kernel is kernel]
        assert ways(own, chosen) == {0, 1}
        assert {bool(kernel.parameters(c.layer, chosen)["signed"]) for c in own} == {False, True}
    check(calls, "cortex-m-mve", tmp_path, [any_compiler(), "-O1"])


@pytest.mark.heavy
@pytest.mark.parametrize("target", ["cortex-m", "cortex-m-dsp", "cortex-m-mve"])
def test_nothing_outside_the_buffers_is_touched(target: str, tmp_path: Path) -> None:
    """One compiler's sanitizers look: clang takes minutes for these programs."""
    for first in (1000, 2000):
        helium = target == "cortex-m-mve"
        calls = dot_calls(find_target(target), 40, first) if helium else both(target, 40, first)
        check(calls, target, tmp_path, [any_compiler(), "-O1", *SANITIZERS])


@pytest.mark.parametrize("target", [*SMALL[:2], *map(heavy, SMALL[2:])])
def test_they_are_chosen_and_only_for_their_targets(target: str) -> None:
    product = call_of(Window((4, 4, 8), 8), 0).layer
    planes = depthwise_calls(find_target(target), 1)[0].layer
    for layer, kernel in ((product, PAIRS), (planes, PLANES)):
        assert select_kernel(layer, find_target(target)) is kernel
        assert select_kernel(layer, find_target("x86-64-v3")) is not kernel
        assert select_kernel(layer, find_target("generic")) is not kernel


def test_helium_has_kernels_of_its_own_for_signed_codes() -> None:
    chosen = find_target("cortex-m-mve")
    calls = dot_calls(chosen, 9)
    for kernel in (DOTS, DOT_PLANES):
        layer = next(call.layer for call in calls if call.kernel is kernel)
        assert select_kernel(layer, chosen) is kernel
        assert select_kernel(layer, find_target("cortex-m-dsp")) is not kernel
    unsigned = call_of(Window((4, 4, 8), 8), 0, dtype="u8").layer
    assert select_kernel(unsigned, chosen) is PAIRS


def test_weights_of_nine_bits_are_for_others() -> None:
    layer = call_of(Window((4, 4, 8), 8), 0, w_zero=3).layer
    assert not PAIRS.accepts(layer)
    assert PAIRS.accepts(replace(layer, operands=call_of(Window((4, 4, 8), 8), 0).layer.operands))
