from __future__ import annotations

import platform
from pathlib import Path

import pytest

from netgen.errors import BuildError
from netgen.runtime.compilers import find_compiler, install_hint
from tests.tools import COMPILERS, find_tool


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_cc_with_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = script(tmp_path / "my cc", "echo Apple clang version 15; echo Target: x")
    monkeypatch.setenv("CC", f"'{fake}' -m32 '-DA=b c'")
    compiler = find_compiler()
    assert compiler.command == (str(fake), "-m32", "-DA=b c")
    assert compiler.kind == "clang"
    assert compiler.version == "Apple clang version 15\nTarget: x"
    assert compiler.summary == "Apple clang version 15"


def test_a_gcc_called_cc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "cc", "echo 'cc (X) 12'; echo '(C) 2022 Free Software Foundation, Inc.'")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_compiler().kind == "gcc"


def test_the_first_that_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "cc", "echo tiny cc")
    script(tmp_path / "gcc", "exit 1")
    clang = script(tmp_path / "clang", "echo clang version 14")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_compiler().command == (str(clang),)


@pytest.mark.parametrize("name", COMPILERS)
def test_the_real_ones(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", find_tool(name))
    assert find_compiler().version


def test_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match=r"no C compiler, expected .* on PATH; .*install.* CC"):
        find_compiler()


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("/no/such/cc -O2", "CC=/no/such/cc -O2: there is no program '/no/such/cc'"),
        ("gcc '", "cannot be split into words"),
    ],
)
def test_cc_is_wrong(setting: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", setting)
    with pytest.raises(BuildError) as error:
        find_compiler()
    assert says in str(error.value)
    assert "correct or unset CC" in str(error.value)


def test_cc_is_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"\x00\x01")
    garbage.chmod(0o755)
    for path in (script(tmp_path / "other", "echo tcc version 1"), garbage):
        monkeypatch.setenv("CC", str(path))
        with pytest.raises(BuildError, match="is not a working gcc or clang"):
            find_compiler()


@pytest.mark.parametrize(
    ("system", "release", "says"),
    [
        ("Linux", {"ID": "debian"}, "apt install gcc"),
        ("Linux", {"ID": "mint", "ID_LIKE": "ubuntu debian"}, "apt install gcc"),
        ("Linux", {"ID": "fedora"}, "dnf install gcc"),
        ("Linux", {"ID": "strange"}, "install gcc or clang"),
        ("Darwin", {}, "xcode-select --install"),
    ],
)
def test_install_hint(
    system: str, release: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    assert says in install_hint()
