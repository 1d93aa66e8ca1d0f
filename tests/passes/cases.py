"""Cases of passes in text files: name, graph before, graph after.

    # A comment stands at the top of the file or between cases.

    == name of the case
    netgen 1
    graph ...
    ->
    netgen 1
    graph ...

A pass that must leave the graph alone has `-> unchanged` and no second text. A file is named after
the pass that it tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_CASE = re.compile(
    r"^== (?P<name>.+)\n(?P<before>(?:(?!== ).*\n)*?)->(?: (?P<same>unchanged)\n|\n"
    r"(?P<after>(?:(?!== |#).+\n)+))",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Case:
    """One case; `after` is None where the graph must stay as it is."""

    file: Path
    name: str
    before: str
    after: str | None

    def __str__(self) -> str:
        return f"{self.file.stem}: {self.name}"


def read_cases(folder: Path) -> list[Case]:
    """All cases of a folder; raises ValueError where a file holds something else."""
    cases = []
    for file in sorted(folder.glob("*.cases")):
        text = file.read_text()
        found = list(_CASE.finditer(text))
        left = [line for line in _CASE.sub("", text).splitlines() if line and line[0] != "#"]
        names = [match["name"] for match in found]
        if left or len(set(names)) != len(names):
            raise ValueError(f"{file.name} is malformed near {left or names}")
        cases += [Case(file, match["name"], match["before"], match["after"]) for match in found]
    return cases


def update_case(case: Case, after: str | None) -> None:
    """Put another result into the case's file."""

    def replaced(match: re.Match[str]) -> str:
        if match["name"] != case.name:
            return match.group()
        ending = "-> unchanged\n" if after is None else f"->\n{after}"
        return f"== {case.name}\n{match['before']}{ending}"

    case.file.write_text(_CASE.sub(replaced, case.file.read_text()))
