"""What templates print uniformly becomes C as written by hand; what it computes stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.emission.tidy import tidy
from tests.emission.expressions import evaluate


def one_line(statement: str) -> str:
    """What becomes of a statement in a function."""
    lines = tidy(f"void f(void)\n{{\n{statement}\n}}\n").splitlines()
    assert (lines[:2], lines[-1]) == (["void f(void)", "{"], "}")
    return "\n".join(lines[2:-1])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("y[i * N + o + 0 * N + 0 + v] = (c0[v]);", "y[i * N + o + v] = c0[v];"),
        ("STORE8(y + o + 1 * N + 8, (c1));", "STORE8(y + o + N + 8, c1);"),
        ("s = a[0 * STEP + k];", "s = a[k];"),
        ("a = *(x0 + (0) * C + c);", "a = *(x0 + c);"),
        ("top = i * 1 - 0;", "top = i;"),
        ("column = 47 * 2 - 1;", "column = 93;"),
        ("p = w + 0 * (K + 1);", "p = w;"),
        ("p = x0 + (2 * 3 + 1) * C;", "p = x0 + 7 * C;"),
        ("p = panel + ((r * S) * C + 1) * 8;", "p = panel + (r * S * C + 1) * 8;"),
        ("left = (0 * 2 - 1) * C;", "left = -C;"),
        ("h = 0 - 1 + r;", "h = -1 + r;"),
        ("x = top + 0 >= 0 && top + 1 < H;", "x = top >= 0 && top + 1 < H;"),
        ("n = a - 0 + b;", "n = a + b;"),
        ("n = LOAD8(p + 16 + 8);", "n = LOAD8(p + 24);"),
        ("n = o / 1 * 8;", "n = o * 8;"),
        ("v = LOAD1(p) + LOAD1(p + o / 4);", "v = p[0] + p[o / 4];"),
        ("STORE1(y + (i * OW + j) * N + 3, relu(c0));", "y[(i * OW + j) * N + 3] = relu(c0);"),
        ("STORE1(to, c0);", "to[0] = c0;"),
        ("const int left = 2 * 4;\nn = p[left + C];", "n = p[8 + C];"),
        ("/* y[i] = (b[o] + sum (of all)). */", "/* y[i] = b[o] + sum (of all). */"),
        ("j += 1;", "++j;"),
        ("top = (first + i) - 1;", "top = first + i - 1;"),
        ("row = x + ((first + i) * 2) * ROW;", "row = x + (first + i) * 2 * ROW;"),
        ("row = x + (top) % SLOTS * ROW;", "row = x + top % SLOTS * ROW;"),
        ("p = w + (R * S + 1);", "p = w + R * S + 1;"),
        ("left = (0 - 8) * C;", "left = -8 * C;"),
    ],
)
def test_terms_that_are_nothing_go(before: str, after: str) -> None:
    assert one_line(before) == after


@pytest.mark.parametrize(
    "statement",
    [
        "v = 0.0f + 1.0f * w;",
        "n = 10 * K + 1;",
        "n = 2 - 3 * K;",
        "n = a - 3 + 4;",
        "n = f(b) + g(0);",
        "y[c] /= (float)PIXELS;",
        "v = v < 0.0f ? 0.0f : v;",
        "s += x[(h * W + v) * C + o / M] * p[1 + r * S + s];",
        "if (x0 != NULL) {\nn = 1;\n}",
        "memcpy(y, x, 3 * sizeof(float));",
        "crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));",
        "const int s0 = column < 0 ? -column : 0;",
        "n = K * (a + 1) - 1;",
        "(void)x;",
        "const int left = j * C;\nn = left;",
        "/* y[i] = relu(b[o]), y[c] = (sum of x[c]) / pixels. */",
    ],
)
def test_everything_else_stays(statement: str) -> None:
    assert one_line(statement) == statement


def test_loop_that_never_runs_goes() -> None:
    assert one_line("n = 1;\nfor (int i = 3; i < 3; ++i) {\nn = i;\n}\nm = 1;") == "n = 1;\nm = 1;"


def test_loop_that_runs_once_becomes_its_body() -> None:
    loop = "for (int o = 16; o < 24; o += 8) {\nconst float *p = w + o * (K + 1);\nn = p[o];\n}"
    assert one_line(loop) == "const float *p = w + 16 * (K + 1);\nn = p[16];"
    # Behind it another block may declare the same names.
    assert one_line(f"{loop}\nn = 1;") == (
        "{\nconst float *p = w + 16 * (K + 1);\nn = p[16];\n}\nn = 1;"
    )


@pytest.mark.parametrize(
    "loop",
    [
        "for (int i = 0; i < 2; ++i) {\nn = i;\n}",
        "for (int i = 0; i < 9; i += 8) {\nn = i;\n}",
        "for (int i = 0; i < N; ++i) {\nn = i;\n}",
        # These need a loop around them, or change its variable.
        "for (int i = 0; i < 1; ++i) {\nif (n) {\nbreak;\n}\n}",
        "for (int i = 0; i < 1; ++i) {\ncontinue;\n}",
        "for (int i = 0; i < 1; ++i) {\ni += n;\n}",
    ],
)
def test_other_loops_stay(loop: str) -> None:
    assert one_line(loop) == loop


def test_break_of_an_inner_loop_belongs_to_that() -> None:
    inner = "while (n) {\nif (n) {\nbreak;\n}\n}"
    assert one_line(f"for (int i = 0; i < 1; ++i) {{\n{inner}\n}}") == inner


def test_last_of_nested_blocks_is_joined() -> None:
    assert one_line("{\n{\nint a = 0;\n}\n{\nint a = 1;\n}\n}") == "{\nint a = 0;\n}\nint a = 1;"


def test_comments_and_else_stay() -> None:
    body = "/* 0 * K + 0 is not code,\n1 * K neither. */\nif (n) {\nn = 1;\n} else {\nn = 2;\n}"
    assert one_line(body) == body


_NAMES = {"K": 5, "i": 3, "j": 7}


def sums() -> st.SearchStrategy[str]:
    """Index expressions as templates make them: sums of products of names, numbers and sums."""
    factor = st.one_of(st.sampled_from(sorted(_NAMES)), st.integers(0, 3).map(str))
    product = st.lists(factor, min_size=1, max_size=3).map(" * ".join)

    def more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        nested = inner.map(lambda text: f"({text})")
        wide = st.lists(st.one_of(factor, nested), min_size=1, max_size=3).map(" * ".join)
        signs = st.sampled_from([" + ", " - "])
        return st.lists(st.tuples(signs, wide), min_size=1, max_size=4).map(
            lambda parts: "".join(sign + term for sign, term in parts).removeprefix(" + ")
            if parts[0][0] == " + "
            else "i" + "".join(sign + term for sign, term in parts)
        )

    return st.recursive(product, more, max_leaves=6)


@given(sums())
def test_values_of_index_expressions_stay(expression: str) -> None:
    found = one_line(f"n = {expression};").removeprefix("n = ").removesuffix(";")
    assert evaluate(found, _NAMES) == evaluate(expression, _NAMES)
    assert len(found) <= len(expression)
