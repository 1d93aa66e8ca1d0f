"""Plain text: JSON for other programs, errors for people."""

from __future__ import annotations

import json
import math

from netgen.errors import NetgenError


def json_text(value: object, indent: int = 2) -> str:
    """JSON without NaN and infinity, which it does not have: they become null."""
    return json.dumps(_finite(value), indent=indent, allow_nan=False)


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def error_text(error: NetgenError | MemoryError) -> str:
    """One line, then its details; what the user's own names hold that breaks a line is escaped."""
    lines = ["there is not enough memory; choose a smaller network"]
    if isinstance(error, NetgenError):
        lines = [error.summary, *error.details]
    return "netgen: error: " + "\n".join(map(_escaped, lines))


def note_text(text: str) -> str:
    """A line about what is no fault."""
    return "netgen: note: " + _escaped(text)


def _escaped(line: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
