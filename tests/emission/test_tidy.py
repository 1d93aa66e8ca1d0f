"""Blocks that say nothing by their braces lose them; every line stays as it is."""

from __future__ import annotations

import pytest

from netgen.emission.tidy import tidy


def in_function(body: str) -> str:
    """The tidied body of a function."""
    lines = tidy(f"void f(void)\n{{\n{body}\n}}\n").splitlines()
    assert (lines[:2], lines[-1]) == (["void f(void)", "{"], "}")
    return "\n".join(lines[2:-1])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{\nint a = 0;\n}", "int a = 0;"),
        ("n = 1;\n{\nint a = 0;\n}", "n = 1;\nint a = 0;"),
        ("{\n{\nint a = 0;\n}\n{\nint a = 1;\n}\n}", "{\nint a = 0;\n}\nint a = 1;"),
        ("for (;;) {\n{\nn = 1;\n}\n}", "for (;;) {\nn = 1;\n}"),
        (
            "if (n) {\n{\nn = 1;\n}\n} else {\n{\nn = 2;\n}\n}",
            "if (n) {\nn = 1;\n} else {\nn = 2;\n}",
        ),
    ],
)
def test_last_block_of_a_block_is_joined(before: str, after: str) -> None:
    assert in_function(before) == after


@pytest.mark.parametrize(
    "body",
    [
        # Behind it another block may declare the same names.
        "{\nint a = 0;\n}\nn = 1;",
        "for (int i = 0; i < 1; ++i) {\nn = i * 1 + 0;\n}",
        "if (x0 != NULL) {\nn = 1;\n}",
        "/* {\n} */\nif (n) {\nn = 1;\n} else {\nn = 2;\n}",
        'n = f("{");',
        "static const int bounds[2][2] = {{0, 1}, {1, 2}};",
    ],
)
def test_everything_else_stays(body: str) -> None:
    assert in_function(body) == body


def test_indentation_and_empty_lines_go() -> None:
    assert in_function("    n = 1;\n\n  /* one\n       two */\n    m = 1;") == (
        "n = 1;\n/* one\ntwo */\nm = 1;"
    )
