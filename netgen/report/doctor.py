"""The state of an installation: what works, what is missing, and the command for it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from rich.table import Column, Table

from netgen import __version__
from netgen.errors import EXTRAS, BuildError, NetgenError
from netgen.export.boards import BOARDS
from netgen.kernels.targets import TARGETS
from netgen.report.byte_words import byte_words
from netgen.runtime.cache import cache_folder
from netgen.runtime.cache_limit import cache_limit, entries
from netgen.runtime.compilers import find_compiler
from netgen.runtime.cpu import native_target, platform_name, require_processor
from netgen.runtime.probe import require_working

State = Literal["ok", "missing", "failed"]


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, its state, what was found, and the way out if it is not ok.

    Without what is `needed`, networks are not compiled and run here.
    """

    name: str
    state: State
    found: str
    hint: str = ""
    needed: bool = False


def examine() -> list[Finding]:
    """Look at everything that netgen uses of this machine."""
    return [
        Finding("netgen", "ok", f"{__version__}, Python {platform.python_version()}"),
        _compiler(),
        Finding("processor", "ok", f"{platform_name()}, native target {native_target().name}"),
        Finding("targets that run here", "ok", ", ".join(_targets())),
        _cache(),
        *(_extra(extra, packages) for extra, packages in EXTRAS.items()),
        *_boards(),
    ]


def ready(findings: list[Finding]) -> bool:
    """Whether networks are compiled and run here."""
    return all(each.state == "ok" for each in findings if each.needed)


def _compiler() -> Finding:
    try:
        compiler = find_compiler()
    except BuildError as error:
        return Finding("C compiler", "missing", error.message, error.hint, needed=True)
    try:
        require_working(compiler)
    except BuildError as error:
        return Finding("C compiler", "failed", error.message, error.hint, needed=True)
    found = f"{compiler.summary} ({compiler.command[0]})"
    return Finding("C compiler", "ok", found, needed=True)


def _targets() -> Iterator[str]:
    """The names of targets whose C, compiled here, runs here."""
    for target in TARGETS:
        try:
            require_processor(target)
        except BuildError:
            continue
        yield target.name


def _cache() -> Finding:
    folder = cache_folder()
    if folder is None:
        hint = "set NETGEN_CACHE_DIR to a folder"
        return Finding("cache", "missing", "no home to keep it in", hint)
    try:
        limit = cache_limit()
    except NetgenError as error:
        return Finding("cache", "failed", error.message, error.hint)
    size = byte_words(sum(entry.bytes for entry in entries(folder)))
    most = "no limit" if limit is None else f"at most {byte_words(limit)}"
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        hint = f"chmod u+rwx {there}, or set NETGEN_CACHE_DIR to another folder"
        return Finding("cache", "failed", f"{folder} cannot be written", hint)
    return Finding("cache", "ok", f"{folder}, {size}, {most}")


def _extra(extra: str, packages: tuple[str, ...]) -> Finding:
    versions = {name: _version(name) for name in packages}
    found = ", ".join(f"{name} {version or 'missing'}" for name, version in versions.items())
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return Finding(f"extra {extra}", "missing", found, f"pip install {' '.join(missing)}")
    return Finding(f"extra {extra}", "ok", found)


def _boards() -> Iterator[Finding]:
    """The compiler and the emulator of each toolchain, which boards of one architecture share."""
    alike = {board.packages: board for board in BOARDS.values()}
    for packages, board in alike.items():
        programs = (board.compiler, board.emulator[0])
        there = {program: shutil.which(program) for program in programs}
        found = ", ".join(f"{program} {path or 'missing'}" for program, path in there.items())
        name = f"boards {board.toolchain.rstrip('-')}"
        if None in there.values():
            yield Finding(name, "missing", found, f"apt install {' '.join(packages)}")
        else:
            yield Finding(name, "ok", found)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def doctor_facts(findings: list[Finding]) -> dict[str, object]:
    """The same for programs."""
    return {"ready": ready(findings), "findings": [asdict(each) for each in findings]}


def doctor_table(findings: list[Finding]) -> Table:
    """One line for each, and the command for what is missing."""
    table = Table(*(Column(name, overflow="fold") for name in ("", "state", "found", "command")))
    for each in findings:
        table.add_row(each.name, each.state, each.found, each.hint)
    able = "networks are compiled and run here"
    table.caption = able if ready(findings) else f"not yet: {able}"
    return table
