"""Tables of the report's page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from netgen.pictures.svg import plain


@dataclass(frozen=True)
class Column:
    """A heading, and how its cells are set: `n` numbers to the right, `name` and `long` wrap."""

    heading: str
    kind: str = ""


def table(columns: Sequence[Column], rows: Iterable[str], caption: str = "") -> str:
    """A table that scrolls sideways where a screen is narrow; rows are those of `row`."""
    heads = "".join(f"<th{_kind(c.kind)}>{plain(c.heading)}</th>" for c in columns)
    title = f"<caption>{caption}</caption>\n" if caption else ""
    body = "\n".join(rows)
    return (
        f'<div class="wide"><table>\n{title}<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def row(columns: Sequence[Column], cells: Sequence[str], role: str = "") -> str:
    """One row of cells that are HTML already."""
    parts = [f"<td{_kind(c.kind)}>{cell}</td>" for c, cell in zip(columns, cells, strict=True)]
    return f"<tr{_kind(role)}>{''.join(parts)}</tr>"


def spanning(columns: Sequence[Column], content: str) -> str:
    """A row of one cell, above those that it speaks of."""
    return f'<tr class="segment"><td colspan="{len(columns)}">{plain(content)}</td></tr>'


def breaking(name: str) -> str:
    """A name that may go over the end of a line, behind its dots and underlines first."""
    return re.sub(r"([._])", r"\1<wbr/>", plain(name))


def share(part: float, whole: float) -> str:
    """A percentage with a bar as long."""
    percent = 100 * part / whole if whole else 0.0
    return f'{percent:.1f} %<span class="bar" style="width:{percent:.1f}%"></span>'


def count(number: int) -> str:
    """A number with its thousands set apart; nothing for none."""
    return f"{number:,}" if number else ""


def _kind(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
