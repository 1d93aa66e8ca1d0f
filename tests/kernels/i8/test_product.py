"""Products of codes as compiled C: every code is that of the operator's meaning.

Each program is compiled for the target's instructions and as plain C for any processor; both read
the same packed constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from netgen.ir.tensor_type import Quantisation, TensorType
from netgen.kernels import select_kernel
from netgen.kernels.i8.requantisation import ROWS
from netgen.kernels.targets import TARGETS, Compiler, Target, find_target
from netgen.ops.conv2d import Conv2d
from tests.cases import examples
from tests.emission.programs import WARNINGS
from tests.kernels.i8.coded_calls import CodedCall, run_coded
from tests.kernels.i8.product_layers import PRODUCT, Window, call_of, coded_calls, networks
from tests.kernels.laid_out import SANITIZERS
from tests.tools import compiler_for

WITH_PRODUCTS = tuple(target.name for target in TARGETS if PRODUCT.runs_on(target))
# Examples are whole programs of several calls.
PROGRAMS = settings(examples(8), phases=[Phase.generate], suppress_health_check=[*HealthCheck])


def check(
    calls: Sequence[CodedCall],
    target: Target,
    folder: Path,
    compiler: Compiler = "gcc",
    flags: Sequence[str] = (),
) -> int:
    """All codes are right, with the target's instructions and without; their number."""
    codes = 0
    for command in (
        compiler_for(target.name, compiler, for_values=True),
        [compiler, "-std=c99", "-O1"],
    ):
        found = run_coded(calls, target, folder, [*command, *WARNINGS, *flags])
        for call, y in zip(calls, found, strict=True):
            np.testing.assert_array_equal(y, call.expected(), repr(call))
            codes += y.size
    return codes


@pytest.mark.usefixtures("as_users_compile")
@pytest.mark.parametrize("target", WITH_PRODUCTS)
@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.heavy)])
def test_layers_of_networks(compiler: Compiler, target: str, tmp_path: Path) -> None:
    assert check(networks([1]), find_target(target), tmp_path, compiler) > 30_000


@pytest.mark.parametrize("target", WITH_PRODUCTS)
@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.heavy)])
def test_random_layers_layouts_bands_and_parts(
    compiler: Compiler, target: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chosen = find_target(target)

    @PROGRAMS
    @given(st.lists(coded_calls(chosen), min_size=6, max_size=8))
    def run(found: list[CodedCall]) -> None:
        check(found, chosen, tmp_path_factory.mktemp("calls"), compiler)

    run()


# gcc for other machines links its programs statically, and has no sanitizers then.
@pytest.mark.heavy
@pytest.mark.parametrize("target", [name for name in WITH_PRODUCTS if name.startswith("x86")])
def test_nothing_outside_the_buffers_is_touched(
    target: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chosen = find_target(target)

    @PROGRAMS
    @given(st.lists(coded_calls(chosen), min_size=4, max_size=6))
    def run(found: list[CodedCall]) -> None:
        check(found, chosen, tmp_path_factory.mktemp("calls"), flags=SANITIZERS)

    run()


@pytest.mark.parametrize("target", WITH_PRODUCTS)
def test_every_choice_gives_the_same(target: str, tmp_path: Path) -> None:
    chosen = find_target(target)
    call = call_of(Window((9, 10, 19), 41, (3, 2), (1, 1), (1, 1, 0, 1)), 4)
    choices = PRODUCT.choices(call.layer, chosen)
    assert len(choices) >= 4
    calls = [replace(call, layer=replace(call.layer, choice=choice)) for choice in choices]
    packed = {call.packed(chosen).tobytes() for call in calls}
    assert len(packed) > 1
    check(calls, chosen, tmp_path)


@pytest.mark.parametrize("target", WITH_PRODUCTS)
def test_sums_may_be_the_largest(target: str, tmp_path: Path) -> None:
    shapes = [Window((2, 3, 1500), 17), Window((5, 5, 65), 33, (3, 3), pad=(1, 1, 1, 1))]
    calls = [call_of(s, n, extremes=True) for n in range(3) for s in shapes]
    calls += [call_of(s, 5, extremes=True, dtype="u8", w_zero=z) for s in shapes for z in (1, 255)]
    check(calls, find_target(target), tmp_path)


@pytest.mark.parametrize("target", ["x86-64-v3", "x86-64-v4"])
def test_pairs_of_weights_may_reach_the_limits_of_int16(target: str, tmp_path: Path) -> None:
    """Groups of one panel are of all three kinds, at codes that drive their sums the furthest."""
    chosen, calls = find_target(target), []
    ends = [(64, 64), (127, 1), (-128, 0), (127, -128), (32, 32), (-64, 0), (0, 64), (-32, -32)]
    beyond = [(127, 127), (-128, -128), (65, 64), (-128, -1)]
    for seed, pairs in enumerate((ends, beyond, ends + beyond)):
        draw = np.random.default_rng(seed)
        for window in (Window((3, 5, 64), 17), Window((4, 6, 12), 40, (3, 3), pad=(1, 1, 1, 1))):
            call = call_of(window, 6 + seed, w_zero=0)
            w, x = call.values["w"], call.values["x"].copy()
            own = np.array(pairs)[draw.integers(0, len(pairs), w.shape[-1] // 2)]
            w = np.broadcast_to(own.ravel(), w.shape).astype(np.int8)
            x[0, 0], x[0, 1], x[0, 2] = 127, -128, np.where(own.ravel() > 0, 127, -128)
            calls.append(replace(call, values={**call.values, "w": w, "x": x}))
    kinds = {ends_of_kinds(call, chosen) for call in calls}
    assert any(0 < doubled < groups < all_ for doubled, groups, all_ in kinds)
    assert any(doubled == groups == 0 for doubled, groups, _ in kinds)
    check(calls, chosen, tmp_path)


def ends_of_kinds(call: CodedCall, target: Target) -> tuple[int, int, int]:
    """The ends of the three kinds of groups of the first panel."""
    lanes = target.tiling("i8").vector_widths[0]
    vectors = -(-call.layer.result.shape[-1] // lanes)
    first, second, third = call.packed(target)[vectors * lanes * (1 + ROWS) :][:3].tolist()
    return first, second, third


def test_two_weights_of_a_pair_may_not_be_the_least(tmp_path: Path) -> None:
    """The first eight of 24 inputs and the next ones are pairs; the last ones have no partners."""
    first, target, calls = call_of(Window((1, 4, 24), 7), 0), find_target("aarch64"), []
    for places, fit in (
        ([(3, 2), (3, 10)], False),
        ([(6, 7), (6, 15)], False),
        ([(3, 2), (4, 10)], True),
        ([(3, 2), (3, 9)], True),
        ([(3, 10), (3, 18)], True),
        ([(3, 2), (3, 18)], True),
    ):
        w, x = np.maximum(first.values["w"], -127), first.values["x"].copy()
        for output, k in places:
            w[output, 0, 0, k] = x[..., k] = -128
        calls.append(replace(first, values={**first.values, "w": w, "x": x}))
        assert calls[-1].packed(target)[8 * (1 + ROWS)] == fit
    check(calls, target, tmp_path)


def test_what_is_accepted() -> None:
    layer = call_of(Window((4, 4, 8), 8), 0).layer
    assert PRODUCT.accepts(layer)
    assert select_kernel(layer, find_target("x86-64-v3")) is PRODUCT
    assert select_kernel(layer, find_target("generic")) is not PRODUCT
    w = TensorType("i8", (8, 1, 1, 8), Quantisation("s", 3, 0))
    assert PRODUCT.accepts(replace(layer, operands={**layer.operands, "w": w}))
    w = TensorType("i8", (8, 1, 1, 8), Quantisation("s", -128, 0))
    assert not PRODUCT.accepts(replace(layer, operands={**layer.operands, "w": w}))
    assert isinstance(layer.op, Conv2d)
    assert not PRODUCT.accepts(replace(layer, op=replace(layer.op, groups=2)))
