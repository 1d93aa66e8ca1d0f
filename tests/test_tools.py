"""Refusals of `tests/tools.py`, and tests that it skips instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from netgen.kernels.targets import TARGETS
from netgen.runtime import cpu
from tests import tools
from tests.tools import (
    Program,
    ToolError,
    any_compiler,
    find_tool,
    link,
    require_architecture,
    run_tool,
)

MAIN = "int main(void) { return STATUS; }\n"


def test_a_program_that_this_processor_cannot_run_never_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "cpu_features", lambda: frozenset({"avx2"}))
    program = Program(tmp_path / "there is none", ("avx2", "avx512f"))
    with pytest.raises(pytest.skip.Exception, match="this processor lacks avx512f"):
        program.run()
    target = next(t for t in TARGETS if cpu.machine().replace("_", "-") in t.name)
    with pytest.raises(pytest.skip.Exception, match="this processor lacks"):
        link(tmp_path, [any_compiler(), *target.machine_flags], ["none.c"])


@pytest.mark.parametrize("flag", ["-mavx512f", "-mcpu=cortex-a53", "-m32"])
def test_flags_whose_features_nobody_stated_are_refused(flag: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=f"which features does {flag} need"):
        link(tmp_path, [any_compiler(), flag], ["none.c"])


def test_no_other_machine_s_program_is_run_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"no name of an installed program, see link\(\)"):
        run_tool([tmp_path / "program"])


def test_what_is_not_installed_skips() -> None:
    with pytest.raises(pytest.skip.Exception, match="needs no-such-compiler, which is not inst"):
        find_tool("no-such-compiler")
    with pytest.raises(pytest.skip.Exception, match="needs no-such-compiler-gcc"):
        run_tool(["no-such-compiler-gcc", "-c", "none.c"])


def test_a_compiler_is_not_asked_for_another_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "machine", lambda: "aarch64")
    with pytest.raises(pytest.skip.Exception, match="needs a compiler for x86_64"):
        run_tool(["gcc", "-march=x86-64-v3", "-c", "none.c"])
    assert tools.compiler_for("x86-64-v2", "gcc")[0] == "x86_64-linux-gnu-gcc"
    assert tools.compiler_for("aarch64", "gcc")[0] == "gcc"
    monkeypatch.setattr(cpu, "machine", lambda: "x86_64")
    assert tools.compiler_for("aarch64", "gcc")[0] == "aarch64-linux-gnu-gcc"
    assert tools.compiler_for("x86-64-v2", "clang")[0] == "clang"


@pytest.mark.parametrize("status", [0, 3])
def test_the_status_of_a_program_counts(status: int, tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text(MAIN)
    program = link(tmp_path, [any_compiler(), f"-DSTATUS={status}"], ["main.c"])
    if status:
        with pytest.raises(ToolError, match=f"status {status}"):
            program.run()
    else:
        assert program.run() == b""


def test_a_compiler_without_libraries_of_sanitizers_skips(tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match=r"needs the libraries of .* -fsanitize=none"):
        link(tmp_path, [any_compiler(), "-fsanitize=none-such"], ["none.c"])


@pytest.mark.usefixtures("as_users_compile")
def test_what_users_compile_reads_the_compiler_s_own_headers() -> None:
    require_architecture("x86_64")
    read = run_tool(["gcc", "-M", "-xc", "-"], feed=b"#include <immintrin.h>\n").decode()
    assert "immintrin.h" in read
    assert f"{tools.TOP}/tests/headers" not in read
