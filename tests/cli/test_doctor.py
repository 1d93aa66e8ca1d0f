"""`netgen doctor`: what there is, and the command for what is missing."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import pytest

from netgen.errors import EXTRAS
from netgen.runtime import cpu
from tests.cli.commands import Cli
from tests.tools import any_compiler


def findings(cli: Cli, code: int = 0) -> dict[str, dict[str, Any]]:
    outcome = cli("doctor", "--json")
    assert (outcome.code, outcome.stderr) == (code, "")
    facts = outcome.json()
    assert facts["ready"] is (code == 0)
    return {each["name"]: each for each in facts["findings"]}


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of these tests are about something else, and a compiler takes its time."""
    monkeypatch.setenv("CC", "no-such-compiler")


def test_it_is_well_where_a_compiler_works(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", any_compiler())
    monkeypatch.setenv("NETGEN_CACHE_DIR", str(tmp_path / "cache"))
    found = findings(cli)
    assert found["C compiler"]["state"] == "ok"
    assert found["cache"]["found"] == f"{tmp_path / 'cache'}, 0 bytes, at most 4.0 GB"
    assert not (tmp_path / "cache").exists()
    assert cpu.native_target().name in found["processor"]["found"]
    assert "generic" in found["targets that run here"]["found"].split(", ")


@pytest.mark.usefixtures("no_compiler")
def test_a_missing_compiler_is_named_with_the_way_out(cli: Cli) -> None:
    compiler = findings(cli, code=6)["C compiler"]
    assert compiler["state"] == "missing"
    assert compiler["found"] == "CC=no-such-compiler: there is no program 'no-such-compiler'"
    assert compiler["hint"] == "correct or unset CC"
    table = cli("doctor").stdout
    assert "correct or unset CC" in table
    assert "not yet: networks are compiled and run here" in table


def test_a_compiler_that_does_not_compile_is_found(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "gcc"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo gcc 1 && exit\necho error: >&2\nexit 1'
    )
    broken.chmod(0o755)
    monkeypatch.setenv("CC", str(broken))
    compiler = findings(cli, code=6)["C compiler"]
    assert compiler["state"] == "failed"
    assert "the C compiler failed: error:" in compiler["found"]


@pytest.mark.usefixtures("no_compiler")
def test_tools_of_emulated_boards_are_found_or_named_with_their_packages(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("arm-none-eabi-gcc", "qemu-system-arm", "qemu-system-riscv32"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = findings(cli, code=6)
    arm, riscv = found["boards arm-none-eabi"], found["boards riscv64-unknown-elf"]
    assert (arm["state"], arm["hint"]) == ("ok", "")
    assert (riscv["state"], riscv["needed"]) == ("missing", False)
    assert riscv["found"].startswith("riscv64-unknown-elf-gcc missing, qemu-system-riscv32 /")
    assert riscv["hint"].startswith("apt install gcc-riscv64-unknown-elf ")


@pytest.mark.usefixtures("no_compiler")
def test_missing_extras_are_no_fault_and_have_a_command(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_but_onnx(package: str) -> str:
        if package != "onnx":
            raise importlib.metadata.PackageNotFoundError(package)
        return "1.2.3"

    monkeypatch.setattr(importlib.metadata, "version", none_but_onnx)
    found = findings(cli, code=6)
    assert {name for name in found if name.startswith("extra ")} == {
        f"extra {name}" for name in EXTRAS
    }
    onnx = found["extra onnx"]
    assert onnx["found"] == "onnx 1.2.3, onnxruntime missing"
    assert onnx["hint"] == "pip install onnxruntime"
    assert not any(each["needed"] for name, each in found.items() if name.startswith("extra "))


@pytest.mark.usefixtures("no_compiler")
def test_lesser_processors_run_fewer_targets(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "cpu_features", frozenset)
    found = findings(cli, code=6)
    targets = found["targets that run here"]["found"].split(", ")
    assert "generic" in targets
    assert not any(name.startswith(("x86", "aarch64")) for name in targets)
