"""Numbers that differ between two documents, and how `netgen diff` prints them."""

from __future__ import annotations

import json
from pathlib import Path

from netgen.report.difference import Change, changes
from tests.cli.commands import Cli

OLD = {"arena_bytes": 100, "fits": True, "layers": [{"name": "a", "n": 1}, {"name": "b", "n": 2}]}
NEW = {"arena_bytes": 50, "fits": False, "layers": [{"name": "b", "n": 2}, {"name": "c", "n": 3}]}


def test_numbers_are_found_by_the_names_of_objects() -> None:
    found = changes(OLD, NEW)
    assert found == [
        Change("arena_bytes", 100, 50),
        Change("layers[c].n", None, 3),
        Change("layers[a].n", 1, None),
    ]
    assert [change.share for change in found] == [-0.5, None, None]
    assert changes(OLD, OLD) == []


def test_the_command_prints_them(cli: Cli, folder: Path) -> None:
    (folder / "old.json").write_text(json.dumps(OLD))
    (folder / "new.json").write_text(json.dumps(NEW))
    outcome = cli("diff", "old.json", "new.json")
    assert outcome.code == 0
    assert "-50.0%" in outcome.stdout
    assert json.loads(cli("diff", "old.json", "new.json", "--json").stdout)[0]["new"] == 50
    assert "no number differs" in cli("diff", "old.json", "old.json").stdout
    (folder / "old.json").write_text("{")
    assert "old.json: cannot be read as JSON" in cli("diff", "old.json", "new.json").error()
