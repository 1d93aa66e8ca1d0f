from __future__ import annotations

import json

from netgen.errors import UsageError
from netgen.report.text import error_text, json_text


def test_what_json_does_not_have_is_null() -> None:
    value = {"a": [1.5, float("nan")], "b": (float("inf"), True, None, "NaN"), "c": {"d": 3}}
    expected = {"a": [1.5, None], "b": [None, True, None, "NaN"], "c": {"d": 3}}
    assert json.loads(json_text(value)) == expected
    assert json_text([1.5], 1) == "[\n 1.5\n]"


def test_an_error_is_one_line() -> None:
    error = UsageError("unknown 'a\nb\x1b[0m'", found="é", hint="try\tc")
    assert error_text(error) == "netgen: error: unknown 'a\\nb\\x1b[0m', found é; try\\tc"
    assert "not enough memory" in error_text(MemoryError())


def test_details_have_lines_of_their_own_and_break_none() -> None:
    error = UsageError("two\nfaults", hint="try", details=["  a", "  b\nc"])
    assert error_text(error).splitlines() == [
        "netgen: error: two\\nfaults; try",
        "  a",
        "  b\\nc",
    ]
    assert str(error) == "two\nfaults; try\n  a\n  b\nc"
