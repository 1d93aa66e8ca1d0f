"""Names from files, and paths, as messages show them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

_LONGEST = 200
_COLUMNS = 100


def one_line(text: str) -> str:
    """`text` where it is printable on one line, otherwise escaped."""
    return text if text and text.isprintable() else ascii(text)


def shown(name: str) -> str:
    """`name` on one line, and cut where it is absurdly long.

    A file's author chooses its names; a line break or a terminal's escape sequence in one of them
    must not reach a build log.
    """
    text = one_line(name)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def listed(heading: str, items: Sequence[str]) -> list[str]:
    """Lines of 100 columns under a heading: names side by side, longer items on lines of their own.

    No name is broken, so that each can be searched for.
    """
    if any(" " in item for item in items):
        return [f"  {heading}:", *(f"    {item}" for item in items)]
    names = textwrap.wrap(
        ", ".join(items),
        _COLUMNS,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [f"  {heading}:", *names]
