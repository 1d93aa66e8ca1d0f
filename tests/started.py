"""Processes that tests start, counted: unlike seconds their number is the same on every machine."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

# Whose number .ci/started limits. A compiler takes about as long as a Python that imports netgen.
_COMPILERS = ("gcc", "clang", "cc", "g++")
_counts: Counter[str] = Counter()


def _kind(program: str) -> str | None:
    name = Path(program).name
    if name.endswith(_COMPILERS):
        return "compilers"
    return "pythons" if name.startswith("python") else None


def _see(event: str, arguments: tuple[object, ...]) -> None:
    if event == "subprocess.Popen" and (kind := _kind(str(arguments[0]))):
        _counts[kind] += 1


def watch() -> None:
    """Count from now on, in this process."""
    sys.addaudithook(_see)


def taken() -> list[tuple[str, object]]:
    """The numbers since the last call, by kind; kinds of which there were none are left out."""
    found: list[tuple[str, object]] = [*_counts.items()]
    _counts.clear()
    return found
