"""The machine of the tests, and the one place that runs anything: compilers, programs, Pythons.

A test needs a program by running it: where it is not installed the test is skipped, and the reason
names it. A linked program knows from its own compile flags which processor it needs; where this one
lacks a feature, or is another, the test is skipped before the program starts. No other module of
the tests starts a process or asks PATH; `tests/test_layering.py` sees to that.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

import netgen
from netgen.kernels.targets import TARGETS, Compiler, find_target
from netgen.runtime import cpu

TOP = Path(netgen.__file__).resolve().parents[1]
COMPILERS: tuple[Compiler, ...] = ("gcc", "clang")
AARCH64_GCC = "aarch64-linux-gnu-gcc"
# Installed under several names, or part of a package whose other programs are on PATH.
OTHER_NAMES: dict[str, tuple[str, ...]] = {"chromium": ("google-chrome",)}
# Flags beginning with -m by which a program needs no more of the processor than before.
_HARMLESS = ("-mprefer-vector-width=", "-mthumb")
_MARCH = "-march="
# Flags by which it needs one more feature, which no level of an architecture has.
_FEATURES = {"-mavx512vnni": "avx512_vnni"}


# They come last, and of several levels gcc takes the last. Of -O1, its fusing needs the other flag.
QUICK: tuple[str, ...] = ("-O1", "-fexpensive-optimizations")


class ToolError(Exception):
    """A compiler or program that failed, with its output."""


def find_tool(name: str) -> str:
    """The path of a program; the test is skipped where it is not installed."""
    for each in (name, *OTHER_NAMES.get(name, ())):
        path = shutil.which(each)
        if path is not None:
            return path
    pytest.skip(f"needs {name}, which is not installed")  # .ci/run installs all, and skips nothing


def find_package(name: str) -> ModuleType:
    """A Python package that is no part of the extra `test`; without it the test is skipped."""
    module: ModuleType = pytest.importorskip(name, reason=f"needs {name}, which is not installed")
    return module


def any_compiler() -> Compiler:
    """The compiler of tests for which one is as good as another: gcc where it is installed."""
    for kind in COMPILERS:
        if shutil.which(kind) is not None:
            return kind
    pytest.skip("needs gcc or clang, neither of which is installed")  # nothing compiles


def compiler_for(target: str, kind: Compiler, *, for_values: bool = False) -> list[str]:
    """The command of a compiler for a target's processor, with the target's flags.

    They are quicker ones `for_values`.
    """
    chosen = find_target(target)
    wanted = _wanted_architecture(chosen.machine_flags) or cpu.machine()
    flags: Sequence[str] = chosen.flags(kind)
    if for_values and kind == "gcc":
        flags = quickly(flags)
    if wanted == cpu.machine():
        return [kind, *flags]
    gcc = f"{wanted}-linux-gnu-gcc"
    if kind == "gcc":
        return [gcc, *flags]
    find_tool(gcc)  # clang takes the C library's headers from there
    return ["clang", f"--target={wanted}-linux-gnu", *flags]


def quickly(flags: Sequence[str]) -> list[str]:
    """The same flags of a gcc that optimises less, and as often fuses products into sums.

    -O3 takes two to four times as long, and is not what most tests are about: C whose values depend
    on it is wrong. Tests with the fixture `as_users_compile` have it, and those that read assembly.
    """
    return [*flags, *QUICK]


def require_architecture(name: str) -> None:
    """Skip the test on processors of another family, as Linux names them."""
    if cpu.machine() != name:
        pytest.skip(f"is about {name}, and this processor is {cpu.machine()}")  # another machine


def require_linux() -> None:
    """Skip the test where Python says other things of a process, or says them in other units."""
    if platform.system() != "Linux":
        pytest.skip(f"is about Linux, and this system is {platform.system()}")  # another system


def require_processor(target: str) -> None:
    """Skip the test where this processor cannot run a target's C; `native` it always can."""
    if target != "native":
        _require_features(find_target(target).cpu_features)


def _require_features(features: Sequence[str]) -> None:
    missing = [name for name in features if name not in cpu.cpu_features()]
    if missing:
        # To emulate one would take longer than all other tests together. What the same C computes
        # without these instructions is tested everywhere: tests/emission/test_other_machines.py.
        pytest.skip(f"this processor lacks {', '.join(missing)}")


def run_tool(
    command: Sequence[str | Path],
    folder: Path | None = None,
    feed: bytes = b"",
    variables: Mapping[str, str] | None = None,
    *,
    may_complain: bool = False,
) -> bytes:
    """Run an installed program by its name and return what it printed.

    Raises ToolError where it fails, or writes to its standard error and may not. A compiler that is
    asked for another processor than its own skips the test.
    """
    name = str(command[0])
    assert name == Path(name).name, f"{name} is no name of an installed program, see link()"
    words = [str(word) for word in command]
    _require_compiler_for_its_flags(words)
    return _run([find_tool(name), *words[1:]], folder, feed, variables, may_complain=may_complain)


def _run(
    words: Sequence[str],
    folder: Path | None,
    feed: bytes,
    variables: Mapping[str, str] | None = None,
    *,
    may_complain: bool = False,
) -> bytes:
    done = subprocess.run(
        words,
        cwd=folder,
        input=feed,
        capture_output=True,
        timeout=300,
        check=False,
        env=None if variables is None else dict(variables),
    )
    if done.returncode != 0 or (done.stderr and not may_complain):
        text = (done.stderr + done.stdout).decode(errors="replace")
        raise ToolError(f"{' '.join(words)}\nstatus {done.returncode}\n{text[:4000]}")
    return done.stdout


@dataclass(frozen=True)
class Program:
    """A linked program, the processor features that its instructions need, and what emulates it."""

    path: Path
    features: tuple[str, ...]
    emulator: tuple[str, ...] = ()

    def run(self, *arguments: str | Path, feed: bytes = b"", folder: Path | None = None) -> bytes:
        """The text that it prints; raises ToolError if it fails or complains."""
        _require_features(self.features)
        emulator = [find_tool(self.emulator[0]), *self.emulator[1:]] if self.emulator else []
        return _run([*emulator, str(self.path), *map(str, arguments)], folder, feed)


def link(
    folder: Path,
    command: Sequence[str | Path],
    sources: Sequence[str | Path],
    name: str = "program",
) -> Program:
    """Compile and link sources to a program of that name in the folder."""
    words = [str(word) for word in command]
    features, emulator = _needs(words)
    # A program that cannot run here says nothing: the test is skipped before it is compiled.
    _require_features(features)
    if emulator:
        find_tool(emulator[0])
        words.append("-static")  # it looks for libraries of its own machine
    _require_sanitizers(words[0], tuple(word for word in words if word.startswith("-fsanitize=")))
    run_tool([*words, *sources, "-o", name], folder)
    return Program(folder / name, features, emulator)


@functools.cache
def _require_sanitizers(compiler: str, flags: tuple[str, ...]) -> None:
    """Skip the test where a compiler lacks the libraries of sanitizers: they may be a package."""
    if not flags:
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "empty.c").write_text("int main(void) { return 0; }\n")
        try:
            run_tool([compiler, *flags, "empty.c", "-o", "empty"], Path(folder))
        except ToolError:
            pytest.skip(
                f"needs the libraries of {compiler} for {' '.join(flags)}"
            )  # CI installs them


def _needs(command: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The features that a program needs by its compile command, and its emulator."""
    if _architecture(command) == "aarch64" != cpu.machine():
        return (), ("qemu-aarch64",)  # it has all of the features
    features: tuple[str, ...] = ()
    for word in command:
        if word.startswith(_MARCH):
            features += next(t.cpu_features for t in TARGETS if word in t.machine_flags)
        elif word in _FEATURES:
            features += (_FEATURES[word],)
        else:
            known = not word.startswith("-m") or word.startswith(_HARMLESS)
            assert known, f"which features does {word} need? say it in tests/tools.py"
    return features, ()


def _architecture(command: Sequence[str]) -> str:
    """The processors that a compiler compiles for, as Linux names them."""
    name = Path(command[0]).name
    for word in command:
        if word.startswith("--target="):
            return word.removeprefix("--target=").partition("-")[0]
    prefix = name.removesuffix("-gcc") if name.endswith("-gcc") else ""
    return prefix.partition("-")[0] or cpu.machine()


def _wanted_architecture(flags: Sequence[str]) -> str | None:
    """The processors for which a -march= asks."""
    for word in flags:
        if word.startswith(_MARCH):
            return "aarch64" if word.startswith("-march=armv8") else "x86_64"
    return None


def _require_compiler_for_its_flags(command: Sequence[str]) -> None:
    wanted, own = _wanted_architecture(command), _architecture(command)
    if wanted not in {None, own}:
        pytest.skip(f"needs a compiler for {wanted}, and {command[0]} is for {own}")  # CI has both


Process = subprocess.Popen[str]
# Options of Python for a script in the arguments: its warnings are errors.
STRICTLY = ("-W", "error", "-c")


def start_python(*arguments: str, folder: Path | None = None, **variables: str) -> Process:
    """Start another Python that can import netgen; both of its streams are read as one."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=_environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_python(
    *arguments: str,
    folder: Path | None = None,
    errors_to: int = subprocess.PIPE,
    check: bool = True,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run another Python that can import netgen, to its end, with changed environment variables.

    It must end with status 0 unless `check` is false. `errors_to` is a file for its errors.
    """
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=_environment(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors_to,
        text=True,
        timeout=300,
        check=check,
    )


@dataclass(frozen=True)
class NewPython:
    """A Python of its own, which has no packages but those that were put there."""

    program: Path

    def install(self, wheel: Path) -> None:
        """Install a wheel by pip, from nowhere else than its file."""
        pip = [sys.executable, "-m", "pip", "--python", str(self.program), "-q"]
        _run([*pip, "install", "--no-index", str(wheel)], None, b"", may_complain=True)

    def run(self, script: str, *arguments: str | Path) -> str:
        """Run a script, which finds neither netgen nor a compiler, and return what it printed."""
        words = [str(self.program), "-I", *STRICTLY, script, *map(str, arguments)]
        return _run(words, None, b"", {"PATH": ""}).decode()


def new_python(folder: Path, *packages: str) -> NewPython:
    """A new Python in a folder, with packages of this one, as if they were installed there."""
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)], None, b"")
    (place,) = folder.glob("lib/python*/site-packages")
    for package in packages:
        files = importlib.metadata.files(package) or []
        for top in {file.parts[0] for file in files if file.parts[0] != ".."}:
            (place / top).symlink_to(
                Path(str(importlib.metadata.distribution(package).locate_file(top)))
            )
    return NewPython(folder / "bin" / "python")


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(TOP), **variables}
