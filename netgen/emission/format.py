"""Layout of the emitted C: indentation by braces, lines of at most 100 columns, no stray blanks.

Templates need not know how deep a fragment stands, and the C reads as if written by hand.
"""

from __future__ import annotations

from netgen.emission.wrap import INDENT, QUOTED, wrap_code, wrap_comment, wrap_directive


def format_c(text: str) -> str:
    """The same C, laid out; boxes of comment and lines of the preprocessor stay if they fit."""
    lines: list[str] = []
    depth = parentheses = 0
    assigns = False
    pending = iter(text.splitlines())
    for raw in pending:
        line = raw.strip()
        if line.startswith("/*"):
            comment = [line]
            while "*/" not in comment[-1]:
                comment.append(next(pending).strip())
            if depth == 0 and lines and lines[-1].endswith((";", "}")):
                lines.append("")
            lines += wrap_comment(comment, INDENT * depth)
        elif line.startswith("#"):
            directive = [raw.rstrip()]
            while directive[-1].endswith("\\"):
                directive.append(next(pending).rstrip())
            lines += wrap_directive(directive)
        elif not line:
            lines.append("")
        else:
            code = QUOTED.sub("", line).rstrip()
            closing = len(code) - len(code.lstrip("})"))
            level = depth - code[:closing].count("}")
            hangs = assigns or (parentheses > 0 and not code.startswith(")"))
            lines += wrap_code(line, max(level + hangs, 0))
            parentheses += code.count("(") - code.count(")")
            assigns = code.endswith("=")
            # What `extern "C"` holds is not indented.
            if not line.startswith('extern "C"'):
                depth = max(depth + code.count("{") - code.count("}"), 0)
    return "\n".join(_without_stray_blanks(lines)) + "\n"


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
