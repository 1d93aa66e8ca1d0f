"""compile: the files, their names, and that they are whole or absent."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import IO, Any

import pytest

import netgen
from netgen.ir.files import save_graph
from tests.cli.commands import NOTE, Cli, entries
from tests.tools import any_compiler, run_tool


def test_three_files(cli: Cli, tiny: str, folder: Path) -> None:
    outcome = cli("compile", tiny, "-o", "model.c")
    assert outcome.code == 0
    assert outcome.stdout == ""
    assert entries(folder) == ["model.c", "model.h", "model_weights.c"]
    lines = outcome.stderr.splitlines()
    assert lines[0] == NOTE
    assert [line.partition(" (")[0] for line in lines[1:]] == [
        f"wrote {name}" for name in entries(folder)
    ]
    for line in lines[1:]:
        match = re.fullmatch(r"wrote (\S+) \(([\d,]+) bytes\)", line)
        assert match is not None
        name, size = match.groups()
        assert (folder / name).stat().st_size == int(size.replace(",", ""))
    assert (folder / "model.c").stat().st_mode & 0o444 == 0o444


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("c", ["net.c", "net.h", "net_weights.c"]),
        ("inline", ["net.c", "net.h"]),
        ("incbin", ["net.c", "net.h", "net_weights.S", "net_weights.bin"]),
        ("blob", ["net.c", "net.h", "net_weights.bin"]),
    ],
)
def test_weights_as(
    form: str,
    files: list[str],
    cli: Cli,
    tiny: str,
    folder: Path,
) -> None:
    assert cli("compile", tiny, "-o", "net.c", "--weights-as", form).code == 0
    assert entries(folder) == files
    sources = [name for name in files if name.endswith((".c", ".S"))]
    run_tool([any_compiler(), "-std=c99", "-c", *sources], folder)
    assert [name for name in entries(folder) if name.endswith(".o")]


def test_the_prefix_is_the_stem_or_given(cli: Cli, tiny: str, folder: Path) -> None:
    assert cli("compile", tiny, "-o", "first.c").code == 0
    assert "int32_t first_run(" in (folder / "first.h").read_text()
    assert cli("compile", tiny, "-o", "second.c", "--prefix", "other").code == 0
    header = (folder / "second.h").read_text()
    assert "int32_t other_run(" in header
    assert "OTHER_ARENA_BYTES" in header
    assert "second_" not in re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)  # names of files
    assert '#include "second.h"' in (folder / "second.c").read_text()
    described = cli("compile", "--help").stdout.split("--prefix")[1].split("--verify")[0]
    assert "file names" not in " ".join(described.split())


def test_a_command_that_gives_the_same_again(cli: Cli, tiny: str, folder: Path) -> None:
    arguments = ("compile", tiny, "-p", "width=6", "-o", "model.c", "--target", "x86-64-v3")
    assert cli(*arguments).code == 0
    first = {name: (folder / name).read_bytes() for name in entries(folder)}
    text = first["model.c"].decode()
    assert "netgen compile tiny.py:tiny -p width=6" in text
    assert str(folder.parent) not in text  # no folder of this machine
    assert cli(*arguments).code == 0
    assert first == {name: (folder / name).read_bytes() for name in entries(folder)}


def test_emit_and_compile_are_one(cli: Cli, tiny: str, folder: Path, tmp_path: Path) -> None:
    cli("compile", tiny, "-o", "model.c")
    files = netgen.emit(netgen.load(tiny), tmp_path / "model.c")
    assert [file.name for file in files] == entries(folder)
    for file in files:
        assert file.read_bytes() == (folder / file.name).read_bytes()


def test_no_compiler_is_needed(
    cli: Cli, tiny: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    assert cli("compile", tiny, "-o", "model.c").code == 0
    assert len(entries(folder)) == 3


def test_verified_first(cli: Cli, tiny: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = cli("compile", tiny, "-o", "model.c", "--verify")
    assert outcome.code == 0
    assert len(entries(folder)) == 3
    worst = cli("verify", tiny, "--target", "generic", "--json").json()["max_relative_error"]
    assert outcome.stderr.splitlines()[1] == f"worst error against numpy: {worst:.1e}"
    from netgen.report import verify

    monkeypatch.setitem(verify.TOLERANCES, "numpy", 0.0)
    outcome = cli("compile", tiny, "-o", "other.c", "--verify")
    assert outcome.code == 8
    assert "does not agree" in outcome.error()
    assert f"found {worst:.1e}" in outcome.error()
    assert len(entries(folder)) == 3


def test_an_ir_file_keeps_its_weights(cli: Cli, tiny: str, folder: Path) -> None:
    save_graph(netgen.load(tiny), folder / "net.ir")
    assert cli("compile", "net.ir", "-o", "model.c").code == 0
    from_ir = (folder / "model_weights.c").read_bytes()
    assert cli("compile", tiny, "-o", "model.c").code == 0
    assert (folder / "model_weights.c").read_bytes() == from_ir
    for more in (("-p", "width=3"), ("--weights", "x.npz")):
        outcome = cli("compile", "net.ir", "-o", "b.c", *more)
        assert outcome.code == 2
        assert "leave out --weights" in outcome.error()


def test_old_files_stay_where_new_ones_cannot_be_written(
    cli: Cli, tiny: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("compile", tiny, "-o", "model.c").code == 0
    before = {name: (folder / name).read_bytes() for name in entries(folder)}

    opened = os.fdopen
    written: list[int] = []

    def full_disk(handle: int, mode: str) -> IO[Any]:
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(handle)
        return opened(handle, mode)

    monkeypatch.setattr("netgen.emission.files.os.fdopen", full_disk)
    outcome = cli("compile", tiny, "-p", "width=5", "-o", "model.c")
    assert outcome.code == 2
    assert "No space left on device" in outcome.error()
    assert before == {name: (folder / name).read_bytes() for name in entries(folder)}


def test_a_link_is_written_through(cli: Cli, tiny: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (folder / "plan.json").symlink_to(tmp_path / "real.json")
    assert cli("plan", tiny, "-o", "plan.json").code == 0
    assert (folder / "plan.json").is_symlink()
    assert (tmp_path / "real.json").read_text().startswith("{")
