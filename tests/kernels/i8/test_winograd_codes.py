"""Winograd's convolution of codes as compiled C: every code is that of the operator's meaning.

That meaning is a direct sum in int64. Each program is compiled for the target's instructions and as
plain C for any processor; both read the same packed constants.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.ir.tensor_type import Quantisation, TensorType
from netgen.kernels import find_kernel, select_kernel
from netgen.kernels.i8.winograd_packing import MOST_INPUTS, G
from netgen.kernels.layer import BandShape
from netgen.kernels.split import Split
from netgen.kernels.targets import TARGETS, Compiler, find_target
from netgen.ops.conv2d import Conv2d
from tests.emission.assembly import innermost_loops
from tests.kernels.i8.coded_calls import CodedCall, program_of
from tests.kernels.i8.product_layers import Window, call_of, coded_calls
from tests.kernels.i8.test_product import PROGRAMS, check
from tests.kernels.laid_out import SANITIZERS
from tests.tools import compiler_for, run_tool

WINOGRAD = find_kernel("winograd_i8")
WITH_PAIRS = tuple(target.name for target in TARGETS if WINOGRAD.runs_on(target))
# Numerators and denominators of the points, the last of which is infinity.
_POINTS = ((0, 1), (1, 1), (-1, 1), (1, 2), (-2, 1), (1, 0))


def winograd_call(
    image: tuple[int, int, int], outputs: int, seed: int, pad: int = 1, dtype: str = "i8"
) -> CodedCall:
    """A convolution 3 by 3 with random codes."""
    window = Window(image, outputs, (3, 3), pad=(pad, pad, pad, pad))
    return replace(call_of(window, seed, dtype=dtype), kernel=WINOGRAD)


def extreme_call(image: tuple[int, int, int], outputs: int, seed: int) -> CodedCall:
    """Codes and weights that are all at an end, in the patterns that transforms make the most of.

    Signs of a row of Bt by one of another alternate as they do, for the points in turn.
    """
    call, draw = winograd_call(image, outputs, seed), np.random.default_rng(seed)
    x, w = call.values["x"].copy(), call.values["w"].copy()
    rows = np.array([_bt(point) for point in range(6)])
    for top, left, c in product(range(0, image[0], 6), range(0, image[1], 6), range(image[2])):
        signs = np.outer(*rows[draw.integers(0, 6, 2)])[: image[0] - top, : image[1] - left]
        x[0, top : top + 6, left : left + 6, c] = np.where(signs >= 0, 127, -128)
    for o, c in product(range(outputs), range(image[2])):
        signs = np.outer(*np.array(G)[draw.integers(0, 6, 2)])
        w[o, :, :, c] = np.where(signs > 0, -128, 127)
    w[0], x[:, :4, :4] = -128, -128
    return replace(call, values={**call.values, "x": x, "w": w})


def _bt(point: int) -> list[int]:
    """Coefficients, from x^0 on, of the product of the linear factors of all other points."""
    coefficients = [1]
    for n, (above, below) in enumerate(_POINTS):
        if n != point:
            low, high = [-above * c for c in coefficients], [below * c for c in coefficients]
            coefficients = [a + b for a, b in zip([*low, 0], [0, *high], strict=True)]
    return coefficients


def test_sums_are_exact_whatever_weights_and_codes_are() -> None:
    """Transforms fit int16; 900 sums, modulo 2^32, leave the sum by an inverse and a shift.

    At point n interpolation divides by the product of its differences from the others; 30 of these
    are the factor of G's row.
    """
    for n, ((above, below), row) in enumerate(zip(_POINTS, G, strict=True)):
        others = [point for m, point in enumerate(_POINTS) if m != n]
        divisor = abs(prod(above * b - below * a for a, b in others))
        assert [*row] == [30 // divisor * above**k * below ** (2 - k) for k in range(3)]
        assert 30 % divisor == 0
    bt = [_bt(point) for point in range(6)]
    most_bt, most_g = (max(sum(map(abs, row)) for row in rows) for rows in (bt, G))
    assert most_bt**2 * 128 < 2**15
    assert most_g**2 * 128 < 2**15
    assert 30 * 30 == 4 * 225
    assert 225 * 0x87654321 % 2**32 == 1
    assert MOST_INPUTS * 9 * 128 * 128 < 2**29 <= (MOST_INPUTS + 1) * 9 * 128 * 128


def some_calls(target: str) -> list[CodedCall]:
    """Odd sizes, borders, extremes, layouts by chance, a band in a ring, both divisions."""
    chosen = find_target(target)
    calls = [
        winograd_call((8, 8, 64), 64, 1),
        winograd_call((9, 43, 19), 41, 2, pad=2),
        winograd_call((5, 6, 3), 7, 3, dtype="u8"),
        winograd_call((1, 1, 17), 9, 4),
        winograd_call((3, 3, 16), 16, 5, pad=0),
        extreme_call((12, 13, 33), 17, 6),
        extreme_call((4, 4, MOST_INPUTS), 1, 7),
    ]
    whole = winograd_call((21, 14, 16), 40, 8)
    for threads in (2, 3):
        split = WINOGRAD.split(whole.layer, chosen, threads, frozenset())
        calls.append(replace(whole, split=split))
    choice = {"rows": 2, "vectors": 1, "lines": 2, "across": 3}
    narrow = replace(whole, layer=replace(whole.layer, choice=choice))
    calls += [narrow, replace(narrow, split=Split("panels", ((0, 16, 40),), 0.6))]
    for rows, first, slots in ((7, 10, 9), (4, 0, 21), (6, 15, 8)):
        layer = replace(narrow.layer, band=BandShape(rows, slots, 15))
        calls.append(replace(whole, layer=layer, first=first))
    return calls


def codes_are_right(target: str, folder: Path, compiler: Compiler = "gcc") -> None:
    assert check(some_calls(target), find_target(target), folder, compiler) > 25_000


def test_codes_with_avx2(tmp_path: Path) -> None:
    codes_are_right("x86-64-v3", tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("target", WITH_PAIRS)
def test_codes_of_every_target_and_clang(target: str, tmp_path: Path) -> None:
    codes_are_right(target, tmp_path, "clang" if target == "x86-64-v3" else "gcc")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("target", "flags"),
    [("x86-64-v3", SANITIZERS), ("x86-64-v4", ()), ("x86-64-v4-vnni", SANITIZERS)],
)
def test_random_layers_layouts_bands_and_parts(
    target: str, flags: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    chosen = find_target(target)

    @PROGRAMS
    @given(st.lists(coded_calls(chosen, WINOGRAD), min_size=6, max_size=8))
    def run(found: list[CodedCall]) -> None:
        check(found, chosen, tmp_path_factory.mktemp("calls"), flags=flags)

    run()


def test_what_is_accepted() -> None:
    layer = winograd_call((32, 32, 16), 16, 0).layer
    assert isinstance(layer.op, Conv2d)
    assert WINOGRAD.accepts(layer)
    w = TensorType("i8", (16, 3, 3, 16), Quantisation("s", 3, 0))
    assert not WINOGRAD.accepts(replace(layer, operands={**layer.operands, "w": w}))
    for op in (
        replace(layer.op, groups=2),
        replace(layer.op, dilation=(2, 2)),
        replace(layer.op, stride=(2, 2)),
    ):
        assert not WINOGRAD.accepts(replace(layer, op=op))
    assert WINOGRAD.accepts(winograd_call((4, 4, MOST_INPUTS), 1, 0).layer)
    assert not WINOGRAD.accepts(winograd_call((4, 4, MOST_INPUTS + 1), 1, 0).layer)
    assert not WINOGRAD.accepts(call_of(Window((4, 4, 8), 8), 0).layer)


@pytest.mark.parametrize(
    ("image", "outputs", "faster"),
    [
        ((32, 32, 16), 16, {"x86-64-v3", "x86-64-v4"}),
        ((8, 8, 64), 64, {"x86-64-v3", "x86-64-v4", "x86-64-v4-vnni"}),
        ((32, 32, 3), 16, set[str]()),
        ((7, 7, 512), 512, set[str]()),
    ],
)
def test_where_it_is_chosen(image: tuple[int, int, int], outputs: int, faster: set[str]) -> None:
    """Never on other targets, for few inputs, for weights that are far, or against an option."""
    layer = winograd_call(image, outputs, 0).layer
    chosen = {t.name for t in TARGETS if select_kernel(layer, t) is WINOGRAD}
    assert chosen == faster
    assert not any(select_kernel(layer, t, winograd=False) is WINOGRAD for t in TARGETS)


@pytest.mark.heavy
@pytest.mark.parametrize("target", WITH_PAIRS)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_products_stay_in_registers(compiler: Compiler, target: str, tmp_path: Path) -> None:
    """The innermost loops of all tiles that are offered."""
    chosen, call = find_target(target), winograd_call((56, 56, 64), 96, 0)
    tiles = {(c["rows"], c["vectors"]): c for c in WINOGRAD.choices(call.layer, chosen)}
    calls = [replace(call, layer=replace(call.layer, choice=each)) for each in tiles.values()]
    (tmp_path / "calls.c").write_text(program_of(calls, chosen))
    run_tool([*compiler_for(target, compiler), "-S", "calls.c", "-o", "calls.s"], tmp_path)
    loops = [
        loop
        for loop in innermost_loops((tmp_path / "calls.s").read_text())
        if any(each.startswith(("vpmaddwd", "vpdpwssd")) for each in loop.instructions)
    ]
    assert len({loop.function for loop in loops}) >= len(calls)
    assert not {(loop.function, loop.spills) for loop in loops if loop.spills}
