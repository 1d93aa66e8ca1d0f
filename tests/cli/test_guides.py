"""`netgen help`: the list, one guide, one page, and topics that there are not."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from netgen.report.guides import FOLDER, TOPICS
from tests.cli.commands import Cli, entries


class Page(HTMLParser):
    """Anchors, links and whatever else a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if tag == "a" else []
        self.loaded += [tag] if tag in {"img", "script", "link", "iframe"} else []


def test_every_guide_has_a_topic() -> None:
    assert sorted(TOPICS) == sorted(file.stem for file in FOLDER.iterdir())


def test_topics_are_listed_with_their_titles(cli: Cli) -> None:
    lines = cli("help").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(TOPICS)
    assert re.fullmatch(r"board +From a \.tflite file to a board", lines[0])


@pytest.mark.parametrize("topic", TOPICS)
def test_a_guide_is_printed_as_it_stands(topic: str, cli: Cli) -> None:
    outcome = cli("help", topic)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.stdout == (FOLDER / f"{topic}.md").read_text(encoding="utf-8")


def test_topics_that_there_are_not(cli: Cli) -> None:
    outcome = cli("help", "boards")
    assert outcome.code == 2
    found = "there is no guide of this name, found boards; did you mean board? "
    assert outcome.error() == f"{found}netgen help lists all topics"
    assert "did you mean" not in cli("help", "zzz").error()


def test_one_page_has_all_guides_and_needs_nothing_else(cli: Cli, folder: Path) -> None:
    assert cli("help", "--html", "guides.html").code == 0
    assert entries(folder) == ["guides.html"]
    text = (folder / "guides.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.anchors == list(TOPICS)
    assert page.loaded == []
    assert "url(" not in text
    assert {link for link in page.links if not link.startswith("#")} == set()
    assert {link[1:] for link in page.links} == set(TOPICS)
    assert text.count("<h1>") == 1
    assert "<table>" in text


def test_pages_that_are_refused(cli: Cli, folder: Path) -> None:
    assert "name it guides.html" in cli("help", "--html", "guides.pdf").error()
    both = cli("help", "board", "--html", "guides.html")
    assert both.code == 2
    assert both.error() == "--html does not go together with topic; leave out topic"
    assert entries(folder) == []
