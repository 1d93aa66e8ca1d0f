"""`netgen cache`: what is kept, how much, and nothing of it afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netgen.runtime import cache
from tests.cli.commands import Cli, entries


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of a library that nobody used for three days, and of weights of 3,000 bytes."""
    place = tmp_path / "cache"
    monkeypatch.setenv("NETGEN_CACHE_DIR", str(place))
    monkeypatch.setenv("NETGEN_CACHE_LIMIT", "2M")
    library = cache.store_object(b"library", ".so")
    then = library.stat().st_mtime - 3 * 86400
    os.utime(library, (then, then))
    cache.store_object(bytes(3000), ".weights")
    return place


def test_files_are_listed(cli: Cli, kept: Path) -> None:
    files = cli("cache", "list", "--json").json_list()
    assert [(file["kind"], file["bytes"]) for file in files] == [("library", 7), ("weights", 3000)]
    assert files[0]["unused_seconds"] >= 3 * 86400
    assert {file["file"] for file in files} == {path.name for path in kept.iterdir()}
    table = cli("cache", "list").stdout
    assert "3 days" in table
    assert "2 files, 2.9 kB" in table


def test_the_size_stands_beside_the_limit(cli: Cli, kept: Path) -> None:
    assert cli("cache", "size").stdout == f"{kept}: 2 files, 2.9 kB, at most 2.0 MB\n"
    facts = {"folder": str(kept), "files": 2, "bytes": 3007, "limit": 2 << 20}
    assert cli("cache", "size", "--json").json() == facts


def test_it_is_cleared(cli: Cli, kept: Path) -> None:
    (kept / "note.txt").write_text("mine")
    outcome = cli("cache", "clear")
    assert (outcome.code, outcome.stderr) == (0, f"{kept}: removed 2 files, 2.9 kB\n")
    assert entries(kept) == ["note.txt"]
    assert cli("cache", "size", "--json").json()["files"] == 0


def test_before_the_first_build(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETGEN_CACHE_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("NETGEN_CACHE_LIMIT", "none")
    assert cli("cache", "size").stdout == f"{tmp_path / 'none'}: 0 files, 0 bytes, no limit\n"
    assert cli("cache", "list", "--json").json_list() == []
