"""Layout of the emitted C: indentation by braces, lines of at most 100 columns, no stray blanks.

Templates need not know how deep a fragment stands, and the C reads as if written by hand.
"""

from __future__ import annotations

import re

COLUMNS = 100
_INDENT = "    "
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|/\*.*?\*/")


def format_c(text: str) -> str:
    """The same C, laid out; comments of several lines and preprocessor lines stay as they are."""
    lines: list[str] = []
    depth = parentheses = 0
    comment = False
    for raw in text.splitlines():
        line = raw.rstrip()
        if comment or line.lstrip().startswith("/*"):
            opens = "/*" in line and not comment
            lines.append(_INDENT * depth + line.lstrip() if opens else line)
            comment = "*/" not in line
            continue
        line = line.strip()
        if not line or line.startswith("#") or (lines and lines[-1].endswith("\\")):
            if line or (lines and lines[-1]):
                lines.append(raw.rstrip() if line else "")
            continue
        code = _QUOTED.sub("", line)
        closing = len(code) - len(code.lstrip("})"))
        level = depth - code[:closing].count("}")
        extra = 1 if parentheses > 0 and not code.startswith(")") else 0
        lines += _wrap(line, level + extra)
        depth += code.count("{") - code.count("}")
        parentheses += code.count("(") - code.count(")")
    return "\n".join(lines).strip("\n") + "\n"


def _wrap(line: str, level: int) -> list[str]:
    """Break a long line behind a comma, a semicolon or before an operator; the rest is indented."""
    lines: list[str] = []
    prefix = _INDENT * level
    while len(prefix) + len(line) > COLUMNS:
        room = COLUMNS - len(prefix)
        breaks = [m.end() for m in re.finditer(r"[,;] | (?=[?:+*] )|&& ", line) if m.end() <= room]
        if not breaks:
            break
        lines.append((prefix + line[: breaks[-1]]).rstrip())
        line = line[breaks[-1] :].lstrip()
        prefix = _INDENT * (level + 1)
    lines.append(prefix + line)
    return lines
