"""Lines of C cut to 100 columns: statements, comments, and lines of the preprocessor."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

COLUMNS = 100
INDENT = "    "
QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|/\*.*?\*/")
# A statement may be cut behind a comma or a semicolon, or before an operator.
_BREAK = re.compile(r"(?P<behind>[,;]) | (?=(?P<before>[?:+*|=]|&&|\|\|) )")
# Where names are long, also behind what opens arguments, behind a cast, and between words.
_LOOSE_BREAK = re.compile(
    r"(?P<behind>(?<=\w)\()(?=[^)])|(?P<before> (?!\()|(?<=\w\))(?=\(|[A-Za-z]))"
)
_ARITHMETIC = frozenset("+*|")
# A block on one line, and a comment behind code.
_BLOCK = re.compile(r"([^{}]*\) \{) ([^{}]*;) \}")
_REMARK = re.compile(r"(.*\S) (/\*(?:(?!\*/).)*\*/)")
# What a macro stands for begins behind its name and parameters.
_DEFINED = re.compile(r"#define \w+(?:\([^)]*\))? ")
_CONTINUED = " \\"


def wrap_comment(lines: Sequence[str], indent: str) -> list[str]:
    """A comment: each paragraph filled anew; of a box only long lines are cut."""
    if lines[0] != "/*":
        paragraphs = "\n".join(lines).split("\n\n")
        filled: list[str] = []
        for paragraph in paragraphs:
            first = f"{indent}   " if filled else indent
            filled += [""] if filled else []
            filled += _fill(paragraph.replace("\n", " "), first, f"{indent}   ")
        return filled
    box = [f"{indent}/*"]
    for line in lines[1:]:
        label = re.match(r"\* (\w+: +)?", line)
        box += _fill(line, f"{indent} ", f"{indent} *" + " " * (label.end() - 1 if label else 1))
    return box


def _fill(text: str, first: str, later: str) -> list[str]:
    """The text in lines of at most 100 columns; blanks within a short line stay."""
    if len(first) + len(text) <= COLUMNS:
        return [first + text]
    return textwrap.wrap(
        text,
        COLUMNS,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def wrap_directive(lines: Sequence[str]) -> list[str]:
    """A line of the preprocessor, and what continues it; a comment that is in the way goes above.

    Lines that are short enough stay as they are.
    """
    remark = _REMARK.fullmatch(lines[0])
    if remark and len(lines) == 1 and len(lines[0]) > COLUMNS:
        return [*wrap_comment([remark[2]], ""), *wrap_directive([remark[1]])]
    wrapped: list[str] = []
    for line in lines:
        if len(line) <= COLUMNS:
            wrapped.append(line)
            continue
        body = line.removesuffix("\\").strip()
        indent = line[: len(line) - len(line.lstrip())]
        pieces = _pieces(body, indent, indent + INDENT, COLUMNS - len(_CONTINUED))
        wrapped += [piece + _CONTINUED for piece in pieces[:-1]]
        wrapped.append(pieces[-1] + (_CONTINUED if line.endswith("\\") else ""))
    return wrapped


def wrap_code(line: str, level: int) -> list[str]:
    """Cut a long line where that is allowed, several statements between them; the rest is indented.

    Statements that follow each other on a line stand below each other, those of a block between
    its braces. A comment behind a long line goes above it.
    """
    indent = INDENT * level
    block = _BLOCK.fullmatch(line)
    if len(indent) + len(line) <= COLUMNS:
        return [indent + line]
    if block:
        head, body = block.groups()
        return [*wrap_code(head, level), *wrap_code(body, level + 1), f"{indent}}}"]
    remark = _REMARK.fullmatch(line)
    if remark:
        return [*wrap_comment([remark[2]], indent), *wrap_code(remark[1], level)]
    return _pieces(line, indent, indent + INDENT)


def _pieces(line: str, indent: str, later: str, columns: int = COLUMNS) -> list[str]:
    """The line in pieces: the first and each statement behind `indent`, others behind `later`."""
    pieces: list[str] = []
    prefix = indent
    while len(prefix) + len(line) > columns:
        cut = _cut(line, columns - len(prefix))
        if not cut:
            break
        pieces.append((prefix + line[:cut]).rstrip())
        prefix = indent if _ends_statement(line[:cut]) else later
        line = line[cut:].lstrip()
    return [*pieces, prefix + line]


def _ends_statement(piece: str) -> bool:
    return piece.endswith("; ") and "for (" not in piece


def _cut(line: str, room: int) -> int:
    """The place to cut a line, of which so many columns may stay; 0 where nothing can be cut.

    Behind a word that is longer by itself the cut is where it ends.
    Behind a statement, or at the last of those breaks that are in the fewest brackets, behind
    commas before all others. An assignment counts as deeper than what stands beside it: the commas
    of a call come first.
    """
    defined = _DEFINED.match(line)
    if defined:
        return defined.end()
    breaks = [found for found in _BREAK.finditer(line) if found.end() <= room]
    statements = [found.end() for found in breaks if _ends_statement(line[: found.end()])]
    if statements:
        return statements[-1]
    loose = [] if breaks else [*_LOOSE_BREAK.finditer(line)]
    loose = [found for found in loose if found.end() <= room] or loose[:1]

    def rank(found: re.Match[str]) -> tuple[int, int]:
        before = QUOTED.sub("", line[: found.end()])
        depth = sum(before.count(c) for c in "([{") - sum(before.count(c) for c in ")]}")
        if found["behind"] == ";" or found["before"] == "=":
            return depth + 1, 1
        if found["behind"] == "(":
            return depth - 1, 0
        return depth, 0 if found["behind"] else 2 if found["before"] in _ARITHMETIC else 1

    ranked = [(rank(found), found.end()) for found in breaks or loose]
    least = min((order for order, _ in ranked), default=None)
    return max((end for order, end in ranked if order == least), default=0)
