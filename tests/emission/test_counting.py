"""Loops are printed where something is repeated, variables where something needs a name."""

from __future__ import annotations

import pytest

from netgen.emission.counting import Counted, Local, bound, local, over, part_of, step_on
from netgen.kernels.terms import named_int


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (over("i", 0, 2), Counted("for (int i = 0; i < 2; ++i) ", "i")),
        (over("j", 1, 45, 4), Counted("for (int j = 1; j < 45; j += 4) ", "j")),
        (over("k", 0, 9, 8), Counted("for (int k = 0; k < 9; k += 8) ", "k")),
        (over("i", 0, "N"), Counted("for (int i = 0; i < N; ++i) ", "i")),
        (over("i", 0, 5, "C"), Counted("for (int i = 0; i < 5; i += C) ", "i")),
        # A number stands for what runs once.
        (over("o", 16, 24, 8), Counted("", 16)),
        (over("o", 16, 20, 8), Counted("", 16)),
        (over("i", 0, 1), Counted("", 0)),
        # Unless it may not run at all.
        (
            over("t", 0, 1, 4, condition="t < n"),
            Counted("for (int t = 0; t < 1 && t < n; t += 4) ", "t"),
        ),
    ],
)
def test_loops(found: Counted, expected: Counted) -> None:
    assert found == expected


def test_loop_without_iterations_is_refused() -> None:
    with pytest.raises(AssertionError, match="no iteration of i"):
        over("i", 3, 3)


def test_parts_of_a_call_have_bounds_of_their_own() -> None:
    one = {"by": "rows", "bounds": [[0, 4, 7]]}
    two = {"by": "panels", "bounds": [[0, 16, 32], [32, 32, 40]]}
    assert part_of(None, "rows") is None
    assert part_of(one, "panels") is None
    assert over("i", 0, 7, part=part_of(one, "rows")).head == (
        "for (int i = bounds[part]; i < bounds[part + 1]; ++i) "
    )
    assert part_of(two, "panels", 1) == ("bounds[1][part]", "bounds[1][part + 1]")
    # Also of a loop that runs once in all: not every part has it.
    assert over("o", 32, 40, 8, part_of(two, "panels", 1)).at == "o"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (local("left", "j * C", -3), Local("const int left = j * C - 3;", "left")),
        (local("left", 8, 2), Local("", 10)),
        (local("left", 0), Local("", 0)),
        (local("top", -1), Local("const int top = -1;", "top")),
    ],
)
def test_plain_numbers_have_no_name(found: Local, expected: Local) -> None:
    assert found == expected


@pytest.mark.parametrize(
    ("by", "expected"), [(1, "++n"), (-1, "--n"), (8, "n += 8"), (-8, "n -= 8"), ("K", "n += K")]
)
def test_steps(by: int | str, expected: str) -> None:
    assert step_on("n", by) == expected


def test_bounds_are_named_where_a_constant_is_that_number() -> None:
    height, one = named_int("height", 12), named_int("rows", 1)
    assert over("i", 0, bound(12, one, height), 3).head == "for (int i = 0; i < height; i += 3) "
    assert over("i", 0, bound(9, one, height), 3).head == "for (int i = 0; i < 9; i += 3) "
    assert over("i", 0, one) == Counted("", 0)
