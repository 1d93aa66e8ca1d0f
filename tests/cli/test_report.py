"""report, and plan --pareto."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Cli, entries
from tests.pictures import parse


def test_report(cli: Cli, tiny: str, folder: Path) -> None:
    outcome = cli("report", tiny, "-o", "report.html", "--input", "rows")
    assert (outcome.code, outcome.stdout) == (0, "")
    assert entries(folder) == ["report.html"]
    page = (folder / "report.html").read_bytes()
    assert outcome.stderr == f"wrote report.html ({len(page):,} bytes)\n"
    text = page.decode()
    assert "tiny.py:tiny" in text
    assert "the image is pushed row by row" in text
    assert "Target generic" in text
    cli("report", tiny, "-o", "again.html", "--input", "rows")
    assert (folder / "again.html").read_bytes() == page


def test_report_with_measured_times(cli: Cli, tiny: str, folder: Path) -> None:
    outcome = cli("report", tiny, "-o", "report.html", "--measure", "--ram", "8K")
    assert outcome.code == 0
    text = (folder / "report.html").read_text()
    assert '<th class="n">measured</th>' in text
    assert " ms<br/>" in text


def test_report_is_refused(cli: Cli, tiny: str, folder: Path) -> None:
    for arguments, code, words in (
        (("-o", "report.pdf"), 2, "name it report.html"),
        (("-o", "report.html", "--ram", "16"), 5, "no plan has so small an arena"),
        (("-o", "no/report.html"), 2, "no"),
    ):
        outcome = cli("report", tiny, *arguments)
        assert outcome.code == code
        assert words in outcome.error()
    assert entries(folder) == []


def test_pareto_for_programs_and_as_files(cli: Cli, tiny: str, folder: Path) -> None:
    outcome = cli("plan", tiny, "--pareto", "--json", "-o", "pareto.json")
    assert (outcome.code, outcome.stderr) == (0, "")
    points = outcome.json_list()
    assert points[0]["cut"] == "layer by layer"
    assert points[0]["arena_bytes"] == cli("plan", tiny, "--json").json()["arena_bytes"]
    sizes = [point["arena_bytes"] for point in points]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) > 1
    last = cli("plan", tiny, "--json", "--ram", str(sizes[-1])).json()
    assert last["arena_bytes"] == sizes[-1]
    assert (folder / "pareto.json").read_text().startswith("[")
    assert cli("plan", tiny, "--pareto", "-o", "pareto.svg").code == 0
    root = parse((folder / "pareto.svg").read_text())
    assert len(list(root.iter("{http://www.w3.org/2000/svg}circle"))) == len(points)
    assert entries(folder) == ["pareto.json", "pareto.svg"]


def test_pareto_for_people(cli: Cli, tiny: str) -> None:
    lines = cli("plan", tiny, "--pareto").stdout
    assert "layer by layer" in lines
    assert "estimated" in lines
    assert "+0.0 %" in lines


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--ram", "8K"), "leave out --ram"),
        (("-o", "pareto.png"), "name it pareto.svg"),
    ],
)
def test_pareto_is_refused(
    cli: Cli, tiny: str, folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    outcome = cli("plan", tiny, "--pareto", *arguments)
    assert outcome.code == 2
    assert words in outcome.error()
    assert entries(folder) == []
