"""Docstrings name their subject first."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for top in ("netgen", "tests") for path in (REPOSITORY / top).rglob("*.py"))

# A sentence that opens with one of these keeps its subject for later. "Whether ..." is the usual
# phrase for a predicate.
LATE_SUBJECTS = {
    *("That", "Those", "What", "Whatever", "Where", "As", "How", "Which", "When", "Who", "Whose"),
    *("Why", "If", "Of", "For", "By", "Between"),
}


def late(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The line and the first word of each docstring that opens with one of these."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and (text := ast.get_docstring(node)):
            first, *_ = text.split(maxsplit=1)
            if first.strip(",.:;") in LATE_SUBJECTS:
                yield node.body[0].lineno, first


@pytest.mark.parametrize("top", ["netgen", "tests"])
def test_docstrings_name_their_subject_first(top: str) -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}:{line}: {word}"
        for path in SOURCES
        if path.is_relative_to(REPOSITORY / top)
        for line, word in late(ast.parse(path.read_text()))
    ]
    assert found == []


def test_late_subjects_are_found() -> None:
    text = '''"""Where things are."""

class Rows:
    """Rows, and what they are."""

    def number(self) -> int:
        """How many."""

    async def fits(self) -> bool:
        """Whether they fit."""

def where() -> None:
    """Where."""
'''
    assert sorted(late(ast.parse(text))) == [(1, "Where"), (7, "How"), (13, "Where.")]
