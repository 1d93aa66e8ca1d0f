"""Kernels of codes in plain C whose loops become vectors: every code is the operator's meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netgen.errors import WeightsError
from netgen.kernels import find_kernel
from netgen.kernels.layer import BandShape
from netgen.kernels.targets import Compiler, find_target
from tests.emission.programs import WARNINGS
from tests.kernels.i8.coded_calls import CodedCall, run_coded
from tests.kernels.i8.product_layers import Window, call_of
from tests.kernels.i8.test_depthwise_conv2d import drawn
from tests.kernels.laid_out import SANITIZERS
from tests.tools import compiler_for

GENERIC = find_target("generic")
TILES, LOOPS = find_kernel("conv2d_tiles_i8"), find_kernel("depthwise_conv2d_loops_i8")
# Copied windows, with and without taps outside and fill; rows read in place, of one pixel and more.
WINDOWS = (
    Window((7, 8, 3), 8, (3, 3), (2, 2), (0, 1, 0, 1)),
    Window((5, 5, 8), 16),
    Window((9, 5, 1), 12, (10, 4), (2, 2), (4, 5, 1, 1)),
    Window((3, 3, 256), 4),
    Window((3, 5, 272), 36, stride=(1, 2)),
    Window((4, 7, 32), 20, (3, 3), pad=(1, 1, 1, 1)),
    Window((5, 6, 48), 8, (3, 3), (2, 2), (0, 1, 0, 1)),
    Window((5, 6, 48), 8, (3, 2)),
    Window((3, 2, 64), 4, (1, 5), pad=(0, 0, 3, 2)),
)


def convolutions(seeds: Sequence[int]) -> list[CodedCall]:
    """All windows, with zero points of weights and x of every kind; some in bands."""
    calls = []
    for seed in seeds:
        for number, window in enumerate(WINDOWS):
            kind = "u8" if (seed + number) % 3 == 0 else "i8"
            zero = (None, 0, 77)[(seed + number) % 3] if kind == "u8" else None
            call = call_of(window, seed, dtype=kind, w_zero=zero, extremes=number % 4 == 3)
            layer = call.layer
            if number % 2 and layer.result.shape[1] > 2:
                reach = window.stride[0] + window.size[0]
                slots = min(reach, window.image[0])
                band = BandShape(2, slots, window.image[1] + 1)
                call = replace(call, layer=replace(layer, band=band), first=1)
            calls.append(replace(call, kernel=TILES))
    return calls


def depthwise(seeds: Sequence[int]) -> list[CodedCall]:
    """Drawn layers that the loops accept, and whose sums fit int32."""
    calls = []
    for seed in seeds:
        call = drawn(seed, "x86-64-v3")
        if call is None or not LOOPS.accepts(call.layer):
            continue
        call = replace(call, kernel=LOOPS, layer=replace(call.layer, choice=None), split=None)
        try:
            call.packed(GENERIC)
        except WeightsError:
            continue
        calls.append(call)
    return calls


def check(calls: Sequence[CodedCall], folder: Path, command: Sequence[str]) -> set[int]:
    """All codes are right; the first words of the packed constants, which name their forms."""
    found = run_coded(calls, GENERIC, folder, command)
    for call, codes in zip(calls, found, strict=True):
        np.testing.assert_array_equal(codes.ravel(), call.expected().ravel(), repr(call))
    return {int(call.packed(GENERIC)[0]) for call in calls}


@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.heavy)])
def test_codes_are_those_of_the_operators(compiler: Compiler, tmp_path: Path) -> None:
    calls = [*convolutions([1]), *depthwise(range(16))]
    assert all(call.kernel.accepts(call.layer) for call in calls)
    # Some sums are shifted to the left: these are rescaled one by one.
    assert check(calls, tmp_path, [*compiler_for("generic", compiler), *WARNINGS]) == {0, 1}


@pytest.mark.heavy
def test_nothing_outside_the_buffers_is_touched(tmp_path: Path) -> None:
    calls = [*convolutions([2, 3]), *depthwise(range(16, 60))]
    check(calls, tmp_path, ["gcc", "-std=c99", "-O1", *WARNINGS, *SANITIZERS])


def test_gcc_multiplies_pairs_of_sixteen_bits(tmp_path: Path) -> None:
    """Otherwise its vectors would be twice as long as they need be."""
    command = [*compiler_for("generic", "gcc"), "-save-temps=obj"]
    call = replace(call_of(Window((4, 4, 64), 16), 0), kernel=TILES)
    check([call], tmp_path, command)
    assembly = "".join(path.read_text() for path in tmp_path.rglob("*.s"))
    assert assembly.count("pmaddwd") >= 8
