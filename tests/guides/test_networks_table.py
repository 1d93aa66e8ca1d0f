"""The README's table of networks holds what `netgen plan` prints."""

from __future__ import annotations

import re

import pytest

from tests.cli.commands import Outcome, caller
from tests.guides.blocks import README

# MODEL, bytes of RAM, those with rows pushed in, bytes of weights.
ROWS = re.findall(
    r"^\| `([\w .=-]+)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|",
    README.read_text(encoding="utf-8"),
    re.MULTILINE,
)


def bytes_of(what: str, outcome: Outcome) -> str:
    found = re.search(rf"\b{what} ([\d,]+) bytes", outcome.stdout)
    assert found is not None
    return found[1]


@pytest.mark.heavy
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_bytes_are_those_of_plans(row: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    cli = caller(capsys)
    model, ram, least, weights = row
    whole = cli("plan", *model.split())
    pushed = cli("plan", *model.split(), "--ram", "least", "--input", "rows")
    assert bytes_of("arena", whole) == ram
    assert bytes_of("weights", whole) == weights
    assert bytes_of("arena", pushed) == least


def test_the_table_has_networks() -> None:
    assert len(ROWS) >= 8
