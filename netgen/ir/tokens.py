"""The words of the text form: names and tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from netgen.errors import GraphError

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.\-/]*"

_TOKEN = re.compile(
    rf"""(?P<blank>[ \t\r]+|\#[^\n]*)
      | (?P<newline>\n)
      | (?P<value>%{_NAME})
      | (?P<reference>@{_NAME})
      | (?P<float>-?0x[0-9a-f]+(?:\.[0-9a-f]+)?p[+-]?[0-9]+(?![A-Za-z0-9_.\-/]))
      | (?P<integer>-?[0-9]+(?![A-Za-z0-9_.\-/]))
      | (?P<name>{_NAME})
      | (?P<text>"[^"\n]*")
      | (?P<mark>[:=(){{}},\[\]])""",
    re.VERBOSE,
)

# Far above any extent, and far below where Python refuses to convert digits.
_MOST_DIGITS = 18


@dataclass(frozen=True)
class Token:
    """One word; `kind` is a group of the pattern above, or `end`."""

    kind: str
    text: str
    line: int


def is_name(text: str) -> bool:
    """Whether the text form can hold `text` as a name: ASCII letters, digits and `_ . - /`."""
    return re.fullmatch(_NAME, text) is not None


def check_name(name: str, where: str) -> None:
    """Raise GraphError unless `name` can stand in the text form."""
    if not is_name(name):
        raise GraphError(
            "a name that IR text cannot hold",
            where=where,
            expected="ASCII letters, digits and _ . - /",
            found=ascii(name),
        )


def tokenise(text: str, file: str) -> list[Token]:
    """Split a text into tokens, the last of kind `end`. Raises GraphError with file and line."""
    tokens: list[Token] = []
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise GraphError(f"unexpected character {text[position]!a}", where=f"{file}:{line}")
        kind = str(match.lastgroup)
        if kind == "newline":
            line += 1
        elif kind != "blank":
            tokens.append(Token(kind, match.group(), line))
        position = match.end()
    tokens.append(Token("end", "the end of the text", line))
    return tokens


def integer(text: str, where: str) -> int:
    """Convert an integer token; raises GraphError where no extent could be as large."""
    if len(text) > _MOST_DIGITS:
        raise GraphError("a number is too large", where=where, found=f"{text[:20]}...")
    return int(text)


def floating(text: str, where: str) -> float:
    """Convert a float token; raises GraphError where a double cannot hold it."""
    try:
        return float.fromhex(text)
    except OverflowError:
        raise GraphError("a number is too large for a double", where=where, found=text) from None
