"""Layout: indentation by braces, 100 columns, comments filled, no stray blanks."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.emission.format import format_c
from netgen.emission.wrap import COLUMNS


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


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # Not within an argument, and not within an index or a term, but between them.
        ("call(argument_number_one, argument_number_two,", "argument + three * four);"),
        ("value = call(argument_number_one, argument_number_two,", "argument + three);"),
        ("return one(argument) == other(argument)", "&& same(argument_number_one, argument);"),
        ("element[row * columns + column]", "= relu(sum[row + number_of_a_column]);"),
        ("value = one(argument_number, other) * factor", "+ other(argument_number, another);"),
        ("value = condition(argument) ? one(argument, other)", ": other(argument, another);"),
        ("for (int row = first_of_all_the_rows; row < end_of_all_the_rows;", "row += step) {"),
    ],
)
def test_long_line_is_cut_between_what_belongs_together(first: str, second: str) -> None:
    blanks = " " * 4 * ((101 - len(f"{first} {second}")) // 4 + 1)
    depth = len(blanks) // 4
    text = "{\n" * depth + f"{first} {second}\n"
    assert format_c(text).splitlines()[depth:] == [f"{blanks}{first}", f"{blanks}    {second}"]


def test_long_block_of_one_line_gets_lines_of_its_own() -> None:
    text = f"for (;;) {{ {'x' * 50} = {'y' * 40}; }}\n"
    assert format_c(text) == f"for (;;) {{\n    {'x' * 50} = {'y' * 40};\n}}\n"


N = "a_name_of_forty_letters_going_on_and_on_"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            f"static {N} int32_t {N}(const {N} *m)",
            [f"static {N} int32_t {N}(", f"    const {N} *m)"],
        ),
        (
            f"#define {N}write(a) {N}store(a, {N}one)",
            [f"#define {N}write(a) \\", f"    {N}store(a, {N}one)"],
        ),
        (
            f"(({N}type)({N}mask({N})))",
            [f"(({N}type)", f"    ({N}mask({N})))"],
        ),
        (f"#define {N} 5 /* {N}{N} */", [f"/* {N}{N} */", f"#define {N} 5"]),
        (f"size_t {N}; /* {N}{N} */", [f"/* {N}{N} */", f"size_t {N};"]),
        (f"{N}{N}{N}(argument);", [f"{N}{N}{N}(", "    argument);"]),
    ],
)
def test_long_names_are_cut_where_words_end(text: str, lines: list[str]) -> None:
    assert format_c(text + "\n").splitlines() == lines


def test_paragraphs_of_a_comment_stay() -> None:
    text = "/* one\n   two\n\n   three */\n"
    assert format_c(text) == "/* one two\n\n   three */\n"


def test_what_is_assigned_hangs() -> None:
    text = "{\n    const int a =\n        b + c;\n    d();\n}\n"
    assert format_c(text) == text


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
