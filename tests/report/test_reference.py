from __future__ import annotations

import re
from pathlib import Path

import pytest

from netgen.report.reference import model_rows, operator_rows

GUIDE = Path(__file__).resolve().parents[2] / "netgen" / "guides" / "models.md"


@pytest.mark.parametrize(("name", "table"), [("models", model_rows), ("operators", operator_rows)])
def test_tables_of_the_guide_come_from_the_registry(
    name: str, table: object, request: pytest.FixtureRequest
) -> None:
    assert callable(table)
    text = GUIDE.read_text(encoding="utf-8")
    section = re.compile(rf"(<!-- {name}: .*? -->\n)(.*?)(<!-- end -->)", re.DOTALL)
    found = section.search(text)
    assert found, f"the guide has no section for {name}"
    if request.config.getoption("--update-golden"):
        GUIDE.write_text(text[: found.start(2)] + table() + text[found.end(2) :], encoding="utf-8")
        return
    assert found.group(2) == table(), "pytest --update-golden tests/report writes it anew"
