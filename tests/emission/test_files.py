"""Output files are written whole, all of them, or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

import netgen
from netgen.emission.files import require_writable, write_files
from netgen.errors import UsageError
from netgen.ir.graph import Graph

FILES = {"model.c": b"int a;\n", "model.h": b"extern int a;\n"}


def test_writes_and_replaces(tmp_path: Path) -> None:
    (tmp_path / "model.c").write_text("old")
    assert write_files(tmp_path, FILES) == [tmp_path / "model.c", tmp_path / "model.h"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == FILES


def test_files_have_ordinary_permissions(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        (path, _) = write_files(tmp_path, FILES)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        write_files(tmp_path / "nowhere", FILES)
    assert not list(tmp_path.iterdir())


def test_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="cannot write"):
        write_files(tmp_path / "file", FILES)
    assert (tmp_path / "file").read_text() == "mine"


def test_unwritable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(**_: object) -> tuple[int, str]:
        # What an ordinary user gets; the tests may run as root, who may write everywhere.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("netgen.emission.files.tempfile.mkstemp", forbidden)
    with pytest.raises(UsageError, match="cannot write"):
        write_files(tmp_path, FILES)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_too_long_is_told(tmp_path: Path) -> None:
    name = "n" * 300 + ".c"
    with pytest.raises(UsageError, match=f"the file name {name} is too long"):
        write_files(tmp_path, {**FILES, name: b""})
    with pytest.raises(UsageError, match=f"the file name {name} is too long"):
        require_writable(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_folder_in_the_way_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "model.h").mkdir()
    (tmp_path / "model.c").write_text("old")
    with pytest.raises(UsageError, match=r"model\.h is a folder"):
        write_files(tmp_path, FILES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.c", "model.h"]
    assert (tmp_path / "model.c").read_text() == "old"


def test_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.c").write_text("old")
    plain = Path.chmod

    def full(path: Path, mode: int) -> None:
        if ".model.h." in path.name:
            raise OSError(28, "No space left on device")
        plain(path, mode)

    monkeypatch.setattr(Path, "chmod", full)
    with pytest.raises(UsageError, match="No space left"):
        write_files(tmp_path, FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["model.c"]
    assert (tmp_path / "model.c").read_text() == "old"


@pytest.mark.parametrize("name", ["model.cpp", "model", "9lives.c", "a-b.c", "while.c"])
def test_names_that_c_cannot_have(name: str, small_graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        netgen.emit(small_graph, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "stem", ['a"b', "a'b", "a\\b", "a\nb", "a\x7fb", "a\x85b", "a??)b", "a\udcffb"], ids=ascii
)
def test_names_that_no_include_can_have(stem: str, small_graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot stand between the quotes of an #include"):
        netgen.emit(small_graph, tmp_path / f"{stem}.c", prefix="m")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("stem", ["stdint", "String", "threads", "pthread", "arm_neon"])
@pytest.mark.parametrize("prefix", [None, "m"])
def test_names_of_headers_of_c(
    stem: str, prefix: str | None, small_graph: Graph, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=rf"would hide C's own <{stem.lower()}\.h>"):
        netgen.emit(small_graph, tmp_path / f"{stem}.c", prefix=prefix)
    assert not list(tmp_path.iterdir())


def test_names_with_blanks_are_included(small_graph: Graph, tmp_path: Path) -> None:
    netgen.emit(small_graph, tmp_path / "my é, net?.c", prefix="m")
    assert '#include "my é, net?.h"' in (tmp_path / "my é, net?.c").read_text(encoding="utf-8")


def test_emit_returns_what_it_wrote(small_graph: Graph, tmp_path: Path) -> None:
    written = netgen.emit(small_graph, tmp_path / "toy.c", prefix="net", weights_as="incbin")
    assert sorted(written) == sorted(tmp_path.iterdir())
    assert "net_run" in (tmp_path / "toy.h").read_text()
