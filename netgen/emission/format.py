"""Layout of the emitted C: indentation by braces, lines of at most 100 columns, no stray blanks.

Templates need not know how deep a fragment stands, and the C reads as if written by hand.
"""

from __future__ import annotations

import re
import textwrap

COLUMNS = 100
_INDENT = "    "
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|/\*.*?\*/")
# A statement may be cut behind a comma or a semicolon, or before an operator.
_BREAK = re.compile(r"(?P<behind>[,;]) | (?=(?P<before>[?:+*|=]|&&|\|\|) )")
# A block on one line.
_BLOCK = re.compile(r"([^{}]*\) \{) ([^{}]*;) \}")
_ARITHMETIC = frozenset("+*|")


def format_c(text: str) -> str:
    """The same C, laid out; preprocessor lines and boxes of comment stay as they are."""
    lines: list[str] = []
    depth = parentheses = 0
    pending = iter(text.splitlines())
    for raw in pending:
        line = raw.strip()
        if line.startswith("/*"):
            comment = [line]
            while "*/" not in comment[-1]:
                comment.append(next(pending).strip())
            if depth == 0 and lines and lines[-1].endswith((";", "}")):
                lines.append("")
            lines += _comment(comment, _INDENT * depth)
        elif not line or line.startswith("#") or (lines and lines[-1].endswith("\\")):
            lines.append(raw.rstrip())
        else:
            code = _QUOTED.sub("", line)
            closing = len(code) - len(code.lstrip("})"))
            level = depth - code[:closing].count("}")
            extra = 1 if parentheses > 0 and not code.startswith(")") else 0
            lines += _wrap(line, max(level + extra, 0))
            parentheses += code.count("(") - code.count(")")
            # What `extern "C"` holds is not indented.
            if not line.startswith('extern "C"'):
                depth = max(depth + code.count("{") - code.count("}"), 0)
    return "\n".join(_without_stray_blanks(lines)) + "\n"


def _comment(lines: list[str], indent: str) -> list[str]:
    """A comment: filled anew, unless it is a box, of which only long lines are cut."""
    if lines[0] != "/*":
        return _fill(" ".join(lines), indent, indent + "   ")
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


def _without_stray_blanks(lines: list[str]) -> list[str]:
    """At most one empty line, none at the beginning, the end, or inside of a brace."""
    kept: list[str] = []
    for line in lines:
        if kept and not kept[-1] and (not line or line.strip().startswith("}")):
            kept.pop()
        if line or (kept and not kept[-1].endswith("{")):
            kept.append(line)
    while kept and not kept[-1]:
        kept.pop()
    return kept


def _wrap(line: str, level: int) -> list[str]:
    """Cut a long line where that is allowed, several statements between them; the rest is indented.

    Statements that follow each other on a line stand below each other, those of a block between
    its braces.
    """
    lines: list[str] = []
    prefix = _INDENT * level
    block = _BLOCK.fullmatch(line)
    if block and len(prefix) + len(line) > COLUMNS:
        head, body = block.groups()
        return [*_wrap(head, level), *_wrap(body, level + 1), f"{prefix}}}"]
    while len(prefix) + len(line) > COLUMNS:
        room = COLUMNS - len(prefix)
        breaks = [m for m in _BREAK.finditer(line) if m.end() <= room]
        if not breaks:
            break
        between = [] if "for (" in line else [m.end() for m in breaks if m["behind"] == ";"]
        cut = between[-1] if between else _best_cut(line, breaks)
        lines.append((prefix + line[:cut]).rstrip())
        line = line[cut:].lstrip()
        prefix = _INDENT * (level if between else level + 1)
    lines.append(prefix + line)
    return lines


def _best_cut(line: str, breaks: list[re.Match[str]]) -> int:
    """The last of those breaks that are in the fewest brackets, behind commas before all others.

    An assignment counts as deeper than what stands beside it: the commas of a call come first.
    """

    def rank(found: re.Match[str]) -> tuple[int, int]:
        before = _QUOTED.sub("", line[: found.end()])
        depth = sum(before.count(c) for c in "([{") - sum(before.count(c) for c in ")]}")
        if found["behind"] == ";" or found["before"] == "=":
            return depth + 1, 1
        return depth, 0 if found["behind"] else 2 if found["before"] in _ARITHMETIC else 1

    least = min(map(rank, breaks))
    return [found.end() for found in breaks if rank(found) == least][-1]
