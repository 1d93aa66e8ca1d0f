"""Layout: indentation by braces, 100 columns, comments filled, no stray blanks."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from netgen.emission.format import COLUMNS, format_c


def test_indents_by_braces() -> None:
    text = "int f(void)\n{\nif (a) {\nb();\n} else {\nc();\n}\n}\n"
    assert format_c(text) == (
        "int f(void)\n{\n    if (a) {\n        b();\n    } else {\n        c();\n    }\n}\n"
    )


def test_braces_in_comments_and_strings_do_not_count() -> None:
    text = 'void f(void)\n{\n/* { */\nputs("{");\na(); /* } */\n}\nint b;\n'
    assert format_c(text) == (
        'void f(void)\n{\n    /* { */\n    puts("{");\n    a(); /* } */\n}\nint b;\n'
    )


def test_linkage_is_not_indented() -> None:
    text = '#ifdef __cplusplus\nextern "C" {\n#endif\nint f(void);\n#ifdef __cplusplus\n}\n#endif\n'
    assert format_c(text) == text


def test_preprocessor_lines_stay() -> None:
    text = "#define A(x) \\\n    do { \\\n        b(x); \\\n    } while (0)\nint c;\n"
    assert format_c(text) == text


def test_stray_blanks_go() -> None:
    assert format_c("\n\nint a;  \n\n\nvoid f(void)\n{\n\nb();\n\n}\n\n\n") == (
        "int a;\n\nvoid f(void)\n{\n    b();\n}\n"
    )


def test_comment_begins_a_paragraph() -> None:
    assert format_c("int a;\n/* b */\nint b;\n") == "int a;\n\n/* b */\nint b;\n"
    text = "#define A 1\n/* b */\n#define B 1\n"
    assert format_c(text) == text


def test_long_statement_is_cut_behind_a_comma() -> None:
    call = f"    call({', '.join(['argument'] * 12)});"
    first, second = format_c(f"void f(void)\n{{\n{call}\n}}\n").splitlines()[2:4]
    assert len(first) <= COLUMNS
    assert (first[:9], first[-1], second[:16]) == ("    call(", ",", "        argument")
    assert f"{first} {second.strip()}" == call


def test_comment_is_filled() -> None:
    words = "word " * 30
    lines = format_c(f"/* {words}*/\n").splitlines()
    assert max(map(len, lines)) <= COLUMNS
    assert all(line.startswith("   word") for line in lines[1:])
    assert " ".join(line.strip() for line in lines) == f"/* {words}*/"


def test_box_keeps_its_lines_but_long_ones() -> None:
    text = f"/*\n * a:    b   c\n *\n * flags:    {'-x ' * 40}\n */\n"
    lines = format_c(text).splitlines()
    assert lines[:3] == ["/*", " * a:    b   c", " *"]
    assert max(map(len, lines)) <= COLUMNS
    # The rest of a labelled line stands under its beginning.
    assert lines[4].startswith(" *           -x -x")


@given(st.text("ab {}();,\n", max_size=200))
def test_layout_changes_blanks_alone(text: str) -> None:
    laid_out = format_c(text)
    assert re.sub(r"\s", "", laid_out) == re.sub(r"\s", "", text)
    assert not re.search(r"[ \t]\n|\n\n\n", laid_out)
