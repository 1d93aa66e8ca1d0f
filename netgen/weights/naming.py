"""How names that come from a file, and paths, are shown in a message."""

from __future__ import annotations

_LONGEST = 200


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
