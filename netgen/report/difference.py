"""Two JSON documents of the same command, of an old and a new model: the numbers that differ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from netgen.errors import UsageError

# What names an object of a list, the first that it has.
_NAMES = ("name", "model", "value")


@dataclass(frozen=True)
class Change:
    """A number that differs; None where one of the documents does not have it."""

    what: str
    old: float | None
    new: float | None

    @property
    def share(self) -> float | None:
        """The change as a part of the old number."""
        if self.old is None or self.new is None or self.old == 0:
            return None
        return self.new / self.old - 1

    def as_json(self) -> dict[str, object]:
        """All of it by name."""
        return {"what": self.what, "old": self.old, "new": self.new, "share": self.share}


def read_document(file: Path) -> object:
    """The JSON in a file. Raises UsageError where there is none."""
    try:
        found: object = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"cannot be read as JSON: {error}",
            where=str(file),
            hint="write one with: netgen plan MODEL -o plan.json, or bench --board NAME --json",
        ) from error
    return found


def changes(old: object, new: object) -> list[Change]:
    """The numbers that differ, in the order of the new document, then those that are gone."""
    before, after = dict(_numbers(old, "")), dict(_numbers(new, ""))
    names = [*after, *(name for name in before if name not in after)]
    return [
        Change(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _numbers(document: object, where: str) -> Iterator[tuple[str, float]]:
    """All numbers of a document by path; in lists objects go by their names, not their places."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _numbers(value, f"{where}.{key}" if where else str(key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from _numbers(value, f"{where}[{_name(value, index)}]")
    elif isinstance(document, int | float) and not isinstance(document, bool):
        yield where, document


def _name(value: object, index: int) -> str:
    if isinstance(value, dict):
        for key in _NAMES:
            if isinstance(value.get(key), str):
                return str(value[key])
    return str(index)


def difference_table(found: list[Change]) -> Table:
    """A table of the changes."""
    table = Table()
    table.add_column("number")
    for heading in ("old", "new", "change"):
        table.add_column(heading, justify="right")
    for change in found:
        share = "-" if change.share is None else f"{change.share:+.1%}"
        table.add_row(change.what, _text(change.old), _text(change.new), share)
    return table


def _text(number: float | None) -> str:
    return "-" if number is None else f"{number:,}"
