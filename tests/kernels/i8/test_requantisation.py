"""Requantisation: certificates against all sums, their checker, and the C of each form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netgen.errors import PlanError
from netgen.ir.tensor_type import Array
from netgen.kernels.i8.float_forms import Codes, FloatForm, Sums, find_affine, find_signed
from netgen.kernels.i8.requantisation import (
    AFFINE,
    EXACT,
    SIGNED,
    Requantisation,
    pack_requantisation,
    scaling_of,
)
from netgen.kernels.targets import Compiler
from netgen.plan.check.check_requantisation import Block, check_requantisation
from tests.emission.programs import WARNINGS
from tests.kernels.i8.requantised import REAL, Batch, Channels, drawn, program, run
from tests.tools import compiler_for

WIDTHS = {"x86-64-v3": 8, "x86-64-v4": 16, "aarch64": 4}


def in_floats(form: FloatForm, channel: int, sums: Array, zero: int, *, affine: bool) -> Array:
    """The codes of a float form, not clamped: sums of products have an exact long double."""
    m = np.longdouble(form.m[channel])
    c = np.full(sums.shape, form.c[channel], np.longdouble)
    if not affine:
        c = np.where(sums < 0, -c, c)
    fused = (sums.astype(np.float32).astype(np.longdouble) * m + c).astype(np.float32)
    return np.rint(fused).astype(np.int64) if affine else np.trunc(fused).astype(np.int64) + zero


def all_sums(channels: Channels, channel: int) -> Array:
    ends = channels.sums.least[channel], channels.sums.most[channel]
    return np.arange(ends[0], ends[1] + 1)


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(n, marks=pytest.mark.heavy) for n in range(4, 60))]
)
@pytest.mark.parametrize("double", [False, True])
def test_certificates_hold_for_all_sums(seed: int, double: bool) -> None:
    channels = drawn(seed, 24, exponents=(-9.0, 3.0), double=double)
    parts = channels.requantisation
    affine, signed = (
        find(parts.scaling, parts.sums, parts.codes) for find in (find_affine, find_signed)
    )
    assert signed.proved.mean() > 0.3  # many are next to ties
    for channel in range(24):
        sums = all_sums(channels, channel)
        expected = channels.expected(channel, sums)
        for form, is_affine in ((affine, True), (signed, False)):
            if form.proved[channel]:
                found = in_floats(form, channel, sums, channels.codes.zero, affine=is_affine)
                codes = np.clip(found, channels.codes.low, channels.codes.high)
                np.testing.assert_array_equal(codes, expected)


def test_least_sums_are_where_numbers_begin() -> None:
    numbers = np.arange(-256, 257)
    for double in (False, True):
        channels = drawn(1, 200, exponents=(-30.0, 6.0), double=double)
        least = channels.requantisation.scaling.least_sums(numbers)
        wide = replace(channels, codes=Codes(0, -(2**40), 2**40))
        for channel in range(200):
            inside = np.abs(least[channel]) < 2**31
            for shift, reached in ((0, True), (-1, False)):
                found = wide.expected(channel, least[channel][inside] + shift)
                assert ((found >= numbers[inside]) == reached).all()


def blocks_of(channels: Channels, lanes: int = 8) -> list[Block]:
    """All channels in vectors, the last with padding."""
    count = len(channels.factors)
    vectors = [
        [c if c < count else -1 for c in range(first, first + lanes)]
        for first in range(0, count, lanes)
    ]
    packed = pack_requantisation(channels.requantisation, vectors)
    return [Block(np.array(v), b) for v, b in zip(vectors, packed, strict=True)]


@pytest.mark.parametrize("double", [False, True])
def test_the_checker_accepts_what_is_packed(double: bool) -> None:
    seen = set()
    for seed in range(12):
        channels = drawn(seed, 37, exponents=(-24.0, 4.0), double=double)
        blocks = blocks_of(channels)
        check_requantisation("step %a", blocks, channels.defined)
        seen |= {int(block.rows[0, 0]) for block in blocks}
    assert seen == {EXACT, SIGNED, AFFINE}


def test_the_checker_refuses_wrong_constants() -> None:
    """It does wherever they give another code for a sum that occurs, and nowhere else."""
    draw, wrong = np.random.default_rng(7), 0
    for seed in range(30):
        channels = drawn(seed, 8, exponents=(-8.0, 1.0))
        (block,) = blocks_of(channels)
        form = int(block.rows[0, 0])
        if form == EXACT:
            continue
        rows = block.rows.copy()
        lane = int(draw.integers(8))
        rows[int(draw.integers(3, 5)), lane] += int(draw.choice([-1, 1])) * 2 ** int(
            draw.integers(22)
        )
        m, c = (np.ascontiguousarray(rows[n]).view(np.float32) for n in (3, 4))
        sums = all_sums(channels, lane)
        mutated = FloatForm(m, c, np.ones(8, bool))
        found = in_floats(mutated, lane, sums, channels.codes.zero, affine=form == AFFINE)
        codes = np.clip(found, channels.codes.low, channels.codes.high)
        if (codes == channels.expected(lane, sums)).all():
            check_requantisation("step %a", [replace(block, rows=rows)], channels.defined)
            continue
        wrong += 1
        with pytest.raises(PlanError, match="certificate of a channel is wrong") as error:
            check_requantisation("step %a", [replace(block, rows=rows)], channels.defined)
        assert f"channel {lane}" in str(error.value)
    assert wrong > 10


def test_the_checker_refuses_blocks_that_are_none() -> None:
    channels = drawn(4, 16, exponents=(-8.0, 1.0))
    blocks = blocks_of(channels)
    block = blocks[0]

    def changed(row: int, lane: int | slice, word: int) -> list[Block]:
        rows = block.rows.copy()
        rows[row, lane] = word
        return [replace(block, rows=rows), *blocks[1:]]

    infinite = int(np.float32(np.inf).view(np.int32))
    assert block.rows[0, 0] != EXACT
    for wrong, message in (
        (blocks[1:], "never requantised"),
        (changed(0, 2, 7), "form of a vector"),
        (changed(0, slice(None), 3), "form of a vector"),
        (changed(1, 5, 12345), "exact constants"),
        (changed(2, 5, -31), "exact constants"),
        (changed(3, 1, infinite), "no constants of a float form"),
        (changed(4, 1, infinite), "no constants of a float form"),
        (changed(3, 1, int(np.float32(-0.5).view(np.int32))), "no constants of a float form"),
    ):
        with pytest.raises(PlanError, match=message):
            check_requantisation("step %a", wrong, channels.defined)


def test_a_factor_of_nothing_and_a_result_of_one_code_are_proved() -> None:
    sums = Sums(np.array([-(2**31), -5]), np.array([2**31 - 1, 9]))
    nothing, one = np.zeros((2, 2), np.int32), np.array([[1 << 30, -9], [1 << 30, 1]], np.int32)
    for exact, codes in ((nothing, Codes(3, -128, 127)), (one, Codes(5, 5, 5))):
        scaling = scaling_of(exact, "fixed")
        for form in (find_affine(scaling, sums, codes), find_signed(scaling, sums, codes)):
            assert form.proved.all()
        packed = pack_requantisation(Requantisation(scaling, exact, sums, codes), [[1, 0, -1, 0]])
        assert packed[0][0].tolist() == [AFFINE] * 4


def batches_of(seed: int, width: int, element: str) -> list[tuple[Batch, Array]]:
    """Batches of all forms and numbers of vectors, with the codes of their definition."""
    found: list[tuple[Batch, Array]] = []
    draw = np.random.default_rng(seed)
    double, wide = seed % 4 == 1, seed % 3 == 0
    exponents = (-31.5, 20.0) if wide else (-14.0, 2.0)
    channels = drawn(seed, width, exponents=exponents, double=double)
    if element == "u8":
        codes = channels.codes
        moved = Codes(codes.zero + 128, codes.low + 128, codes.high + 128)
        channels = replace(channels, codes=moved)
    lanes = draw.permutation(width)
    (block,) = pack_requantisation(channels.requantisation, [lanes.tolist()])
    ends = channels.sums.least[lanes], channels.sums.most[lanes]
    exact = REAL if double else EXACT
    for form in sorted({int(block[0, 0]) or exact, exact}):
        for vectors in (1, 2, 4):
            sums = draw.integers(ends[0], ends[1] + 1, (30, vectors, width))
            sums[0], sums[1] = ends
            sums[12:24] = draw.integers(-300, 300, (12, vectors, width)).clip(*ends)
            expected = np.stack(
                [channels.expected(int(c), sums[..., n]) for n, c in enumerate(lanes)], axis=-1
            )
            found.append((Batch(form, block, sums, channels.codes), expected))
    return found


@pytest.mark.parametrize("element", ["i8", "u8"])
@pytest.mark.parametrize("target", WIDTHS)
@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.heavy)])
def test_all_forms_give_the_defined_codes(
    compiler: Compiler, target: str, element: str, tmp_path: Path
) -> None:
    width = WIDTHS[target]
    static = ["-static"] if target == "aarch64" else []
    command = [*compiler_for(target, compiler, for_values=True), *WARNINGS, *static]
    made = program(tmp_path, command, target, width, element)
    batches = [pair for seed in range(24) for pair in batches_of(seed, width, element)]
    results = run(made, [batch for batch, _ in batches], element)
    seen = dict.fromkeys((EXACT, SIGNED, AFFINE, REAL), 0)
    for (batch, expected), codes in zip(batches, results, strict=True):
        np.testing.assert_array_equal(codes, expected, err_msg=str(batch.form))
        seen[batch.form] += codes.size
    assert min(seen.values()) > 1000
