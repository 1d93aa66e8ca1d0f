"""Documents name files that exist, keep their lines short, and the map is read in ten minutes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDERS = ("netgen", "templates", "tests")
MAP = REPOSITORY / "netgen" / "ARCHITECTURE.md"
# What the map leads to.
REFERENCES = sorted(REPOSITORY.glob("netgen/*/README.md"))
REFERENCES += [REPOSITORY / top / "README.md" for top in FOLDERS[1:]]
GUIDES = sorted(REPOSITORY.glob("netgen/guides/*.md"))
DOCUMENTS = [REPOSITORY / "README.md", MAP, *REFERENCES, *GUIDES]
SOURCES = sorted(path for top in ("netgen", "tests") for path in (REPOSITORY / top).rglob("*.py"))
SOURCES.remove(Path(__file__).resolve())

# A reader takes in 250 words a minute.
MOST_WORDS = 2500
MOST_COLUMNS = 110

# A path between backticks: with an ending of ours, or a folder. Capitals stand for any name.
PATH = re.compile(r"`([\w./-]+(?:\.(?:py|md|toml|c\.j2|h\.j2)|/))`")
# A row of the map's table of folders: its files stand in that folder.
ROW = re.compile(r"\| `(\w+/)` \|")
LINK = re.compile(r"\]\(([^):#]+)\)")
# Files that docstrings and the README speak of, but are not ours.
FOREIGN = {
    *("serialization.py", "_weights_only_unpickler.py"),  # torch's
    *("FILE.py", "tiny.py"),  # users'
}


def exists(name: str, folder: Path) -> bool:
    """Whether a path is there, from the document's folder, the repository or the package."""
    pattern = re.sub(r"NAME|verb_noun", "*", name).rstrip("/")
    homes = (folder, REPOSITORY, *(REPOSITORY / top for top in FOLDERS))
    return any(next(home.glob(pattern), None) is not None for home in homes)


def lost(text: str, folder: Path) -> list[str]:
    """The paths in a text that are nowhere."""
    found = (name for name in PATH.findall(text) if name not in FOREIGN)
    return [name for name in found if not exists(name, folder)]


def title(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=title)
def test_paths_of_documents_exist(document: Path) -> None:
    text = document.read_text()
    found = []
    for line in text.splitlines():
        row = ROW.match(line)
        found += lost(line, document.parent / row[1] if row else document.parent)
    assert found == []
    links = [name for name in LINK.findall(text) if not (document.parent / name).exists()]
    assert links == []


def test_paths_of_docstrings_and_comments_exist() -> None:
    found = {title(path): lost(path.read_text(), path.parent) for path in SOURCES}
    assert {name: paths for name, paths in found.items() if paths} == {}


def test_a_lost_path_is_found() -> None:
    text = "`plan/arena.py` and `plan/arena/`, `ops/NAME.py`, `NAME/add.py`, `gone/`, `x.py:f`"
    assert lost(text, REPOSITORY) == ["plan/arena.py", "gone/"]


@pytest.mark.parametrize("document", [MAP, *REFERENCES], ids=title)
def test_lines_of_documents_are_short(document: Path) -> None:
    lines = enumerate(document.read_text().splitlines(), 1)
    assert [number for number, line in lines if len(line) > MOST_COLUMNS] == []


def test_the_map_is_read_in_ten_minutes() -> None:
    text = MAP.read_text()
    assert len(text.split()) <= MOST_WORDS
    reached = {(MAP.parent / name).resolve() for name in LINK.findall(text)}
    assert reached == {*REFERENCES}
