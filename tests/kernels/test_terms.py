"""Index expressions are printed from their parts: without what is nothing, of the same value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.kernels.terms import (
    Term,
    difference,
    greater,
    grouped,
    lesser,
    named_int,
    product,
    quotient,
    remainder,
    sum_of,
)
from tests.emission.expressions import evaluate


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (sum_of("y", product("i", "N"), "o", product(0, "N"), 0), "y + i * N + o"),
        (sum_of("y", "o", product(1, "N"), 8), "y + o + N + 8"),
        (sum_of("p", 16, 8), "p + 24"),
        (sum_of("c + 3", 4, "v"), "c + 7 + v"),
        (sum_of("c - 3", 3), "c"),
        (sum_of("", 0, ""), 0),
        (sum_of(2, "", 3), 5),
        (sum_of("7", 1), 8),
        (sum_of(0, -1, "r"), "-1 + r"),
        (sum_of("x", product(-1, "C")), "x - C"),
        (sum_of("f(a - b)", "x[c + d]", 2), "f(a - b) + x[c + d] + 2"),
        (difference(product("i", 1), 0), "i"),
        (difference(product(47, 2), 1), 93),
        (difference("a", "b - c"), "a - (b - c)"),
        (product(sum_of(product(0, 2), -1), "C"), "-C"),
        (product(sum_of(product(2, 3), 1), "C"), "7 * C"),
        (product("j", 2), "j * 2"),
        (product(2, "a + b"), "2 * (a + b)"),
        (product("a + b"), "a + b"),
        (product("a + b", 1), "a + b"),
        (product(sum_of("r * S", 0), "C"), "r * S * C"),
        (product(0, "K + 1"), 0),
        (product(1, "sizeof(float)"), "sizeof(float)"),
        (product(-1, "-C"), "C"),
        (product("-a + b", 3), "(-a + b) * 3"),
        (product("o / G", 4), "o / G * 4"),
        (product(4, "o / G"), "4 * (o / G)"),
        (product(quotient(sum_of("first", "t"), "W"), 4), "(first + t) / W * 4"),
        (remainder(sum_of(0, "t"), "W"), "t % W"),
        (quotient(0, 16), 0),
        (remainder(sum_of(0, 0), "W"), 0),
        (sum_of("orders", product(quotient(0, 16), 21)), "orders"),
        (grouped("x[a + b]"), "x[a + b]"),
        (grouped(-1), "(-1)"),
        (lesser(sum_of("first", 8), "end"), "first + 8 < end ? first + 8 : end"),
        (greater("top", 0), "top > 0 ? top : 0"),
    ],
)
def test_what_is_nothing_is_not_printed(found: Term, expected: Term) -> None:
    assert found == expected


_NAMES = {"K": 5, "i": 3, "j": 7}

Valued = tuple[Term, int]


def _quotients(pair: tuple[Valued, Valued]) -> Valued:
    (a, value), (b, by) = pair
    return quotient(a, b), value // by


def _remainders(pair: tuple[Valued, Valued]) -> Valued:
    (a, value), (b, by) = pair
    return remainder(a, b), value % by


def _products(parts: list[Valued]) -> Valued:
    value = 1
    for _, factor in parts:
        value *= factor
    return product(*(term for term, _ in parts)), value


def _sums(parts: list[Valued]) -> Valued:
    return sum_of(*(term for term, _ in parts)), sum(value for _, value in parts)


def _differences(pair: tuple[Valued, Valued]) -> Valued:
    (a, value), (b, less) = pair
    return difference(a, b), value - less


NAMES: st.SearchStrategy[Valued] = st.sampled_from([*_NAMES.items()])
NUMBERS = st.integers(-3, 3).map(lambda n: (n, n))
ROUNDED = st.tuples(st.lists(NAMES, min_size=1, max_size=2).map(_sums), NAMES)
PARTS = st.one_of(NAMES, NUMBERS, ROUNDED.map(_quotients), ROUNDED.map(_remainders))


def _larger(parts: st.SearchStrategy[Valued]) -> st.SearchStrategy[Valued]:
    several = st.lists(parts, max_size=4)
    return st.one_of(
        several.map(_sums), several.map(_products), st.tuples(parts, parts).map(_differences)
    )


@given(st.recursive(PARTS, _larger, max_leaves=12))
def test_values_are_those_of_the_parts(found: Valued) -> None:
    term, value = found
    assert evaluate(str(term), _NAMES) == value


def test_constants_are_named_beside_names_and_numbers_among_numbers() -> None:
    stride, none, width = named_int("stride", 2), named_int("pad", 0), named_int("width", 7)
    assert difference(product("i", stride), named_int("pad", 1)) == "i * stride - pad"
    assert difference(product("i", named_int("stride", 1)), none) == "i"
    assert difference(product(3, stride), named_int("pad", 1)) == 5
    assert sum_of("x", none, product("h", width)) == "x + h * width"
    assert product(0, width) == 0
    assert (str(width), f"{width}", width + 1) == ("width", "width", 8)
