"""`plan --check` of files that are no right plan: one line, which begins with the file's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Cli

FILES = [
    ("{", "the plan is no JSON"),
    ("3", "$"),
    ("[]", "$"),
    ('[{"arena_bytes": 3}]', "$"),
    ('{"version": 0}', "$.version: this plan is of another version"),
    ("[" * 200_000, "nested too deeply"),
    ('{"version": ' + "[" * 200_000, "nested too deeply"),
]


@pytest.mark.parametrize(("text", "says"), FILES, ids=[says for _, says in FILES])
def test_the_file_is_named_first(text: str, says: str, cli: Cli, folder: Path) -> None:
    (folder / "plan.json").write_text(text)
    outcome = cli("plan", "--check", "plan.json")
    assert outcome.code == 5
    assert outcome.error().startswith(f"plan.json: {says}")
    assert outcome.error().count("plan.json: ") == 1


def test_a_wrong_plan(cli: Cli, tiny: str, folder: Path) -> None:
    """A plan is refused by the checker, and not only by the reader."""
    document = cli("plan", tiny, "--json", "-o", "plan.json").json()
    file, first = folder / "plan.json", document["buffers"][0]["bytes"]
    assert f'"bytes": {first}' in file.read_text()
    file.write_text(file.read_text().replace(f'"bytes": {first}', f'"bytes": {first + 4}', 1))
    outcome = cli("plan", "--check", "plan.json")
    assert outcome.code == 5
    assert outcome.error().startswith("plan.json: ")


def test_a_curve_is_no_plan(cli: Cli, tiny: str, folder: Path) -> None:
    assert cli("plan", tiny, "--pareto", "-o", "p.json").code == 0
    assert (folder / "p.json").exists()
    outcome = cli("plan", "--check", "p.json")
    assert outcome.code == 5
    assert outcome.error().startswith("p.json: this is a curve of --pareto, not a plan")
