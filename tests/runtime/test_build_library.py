from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from netgen.errors import BuildError
from netgen.kernels.targets import TARGETS, Target, find_target
from netgen.runtime.build import build_library
from netgen.runtime.compilers import CCompiler, find_compiler
from netgen.runtime.cpu import native_target
from tests.tools import STRICTLY, start_python

GENERIC = find_target("generic")


class Stub(Protocol):
    """The parts of conftest's stubs that a build takes."""

    header: str
    source: str
    prefix: str


def build(
    stub: Stub,
    *,
    source: str | None = None,
    target: Target = GENERIC,
    compiler: CCompiler | None = None,
    progress: Callable[[str], None] | None = None,
) -> Path:
    return build_library(
        source or stub.source,
        stub.header,
        stub.prefix,
        target,
        compiler or find_compiler(),
        progress,
    )


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_built_once(sum_stub: Stub, cache_dir: Path) -> None:
    lines: list[str] = []
    first = build(sum_stub, progress=lines.append)
    assert len(lines) == 1
    assert re.match(r"compiling \d+ kB of C for generic with .+", lines[0])
    assert build(sum_stub, progress=lines.append) == first
    assert len(lines) == 1
    assert sorted(path.suffix for path in cache_dir.iterdir()) == [".ref", ".so"]


def test_everything_that_matters_is_in_the_key(sum_stub: Stub, cache_dir: Path) -> None:
    compiler = find_compiler()
    build(sum_stub)
    build(sum_stub, source=sum_stub.source + "/* changed */")
    build(sum_stub, target=native_target())
    build(sum_stub, compiler=CCompiler(compiler.command, compiler.kind, "other version"))
    build(sum_stub, target=dataclasses.replace(GENERIC, cpu_features=("sse9",)))
    options = (*compiler.command, "-DX")
    build(sum_stub, compiler=CCompiler(options, compiler.kind, compiler.version))
    keys = 6 if native_target() is not GENERIC else 5
    assert len(list(cache_dir.glob("*.ref"))) == keys


@pytest.mark.parametrize("damage", ["truncate", "change", "remove", "ref"])
def test_damaged_entries_are_built_again(sum_stub: Stub, cache_dir: Path, damage: str) -> None:
    path = build(sum_stub)
    library = path.read_bytes()
    if damage == "truncate":
        path.write_bytes(library[:1000])
    elif damage == "change":
        path.write_bytes(library[:1000] + b"?" + library[1001:])
    elif damage == "remove":
        path.unlink()
    else:
        next(cache_dir.glob("*.ref")).write_bytes(b"\x00\xff")
    lines: list[str] = []
    assert build(sum_stub, progress=lines.append).read_bytes() == library
    assert len(lines) == 1


def test_an_unwritable_cache(
    sum_stub: Stub, monkeypatch: pytest.MonkeyPatch, cache_dir: Path
) -> None:
    monkeypatch.setenv("NETGEN_CACHE_DIR", "/dev/null/x")
    lines: list[str] = []
    path = build(sum_stub, progress=lines.append)
    assert path.exists()
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert build(sum_stub, progress=lines.append) == path  # still cached, for this process
    assert len(lines) == 1
    assert not cache_dir.exists()


@pytest.mark.usefixtures("as_users_compile")  # which the other processes do, too
def test_concurrent_builds(sum_stub: Stub, tmp_path: Path, cache_dir: Path) -> None:
    files = [tmp_path / "source", tmp_path / "header"]
    files[0].write_text(sum_stub.source)
    files[1].write_text(sum_stub.header)
    code = """
import sys
from pathlib import Path
from netgen.kernels.targets import find_target
from netgen.runtime.build import build_library
from netgen.runtime.compilers import find_compiler
source, header = (Path(name).read_text() for name in sys.argv[1:3])
print(build_library(source, header, "model", find_target("generic"), find_compiler()))
"""
    builds = [start_python(*STRICTLY, code, *map(str, files)) for _ in range(3)]
    outputs = [child.communicate()[0] for child in builds]
    assert set(outputs) == {f"{build(sum_stub)}\n"}
    assert sorted(path.suffix for path in cache_dir.iterdir()) == [".ref", ".so"]


def test_c_that_does_not_compile(sum_stub: Stub) -> None:
    with pytest.raises(BuildError) as error:
        build(sum_stub, source="int x;\nint32 y;\n")
    message = str(error.value)
    assert "\n" not in message
    assert re.search(r"the C compiler failed: model\.c:2:1: error: unknown type name", message)
    log = Path(message.rpartition("its whole output is in ")[2])
    assert "int32 y" in log.read_text()
    assert log.read_text().startswith("/")


def test_a_failing_compiler(
    sum_stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = script(
        tmp_path / "fakecc",
        '[ "$1" = --version ] && echo "gcc (fake) 1" && exit; echo "out of licences"; exit 3',
    )
    monkeypatch.setenv("CC", str(fake))
    with pytest.raises(BuildError, match=r"fakecc: the C compiler failed: out of licences; .*log$"):
        build(sum_stub)


def test_a_compiler_that_fails_in_silence(sum_stub: Stub, tmp_path: Path) -> None:
    fake = CCompiler((str(script(tmp_path / "fakecc", "exit 3")),), "gcc", "fake")
    with pytest.raises(BuildError, match="failed: no output, exit status 3"):
        build(sum_stub, compiler=fake)
    gone = CCompiler((str(tmp_path / "gone"),), "gcc", "fake")
    with pytest.raises(BuildError, match="cannot be run: No such file"):
        build(sum_stub, compiler=gone)


def test_a_target_that_the_compiler_does_not_know(sum_stub: Stub) -> None:
    foreign = next(t for t in TARGETS if t.name == "aarch64")
    if native_target() is foreign:
        foreign = find_target("x86-64-v3")
    with pytest.raises(BuildError, match=rf"for target {foreign.name}.* or choose target generic"):
        build(sum_stub, target=foreign)
