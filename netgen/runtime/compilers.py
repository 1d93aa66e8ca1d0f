"""The C compiler: where it is, whether it is gcc or clang, and which version."""

from __future__ import annotations

import functools
import os
import platform
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netgen.errors import BuildError

if TYPE_CHECKING:  # all kernels come with it, and running a compiled model needs none
    from netgen.kernels.targets import Compiler

_CANDIDATES = ("cc", "gcc", "clang")

_SET_CC = "or set CC to a gcc or clang"

# How a system installs a C compiler with the C library's headers, by the ID of its os-release.
_INSTALL = {
    "debian": "apt install gcc libc6-dev",
    "ubuntu": "apt install gcc libc6-dev",
    "fedora": "dnf install gcc",
    "rhel": "dnf install gcc",
    "suse": "zypper install gcc",
    "arch": "pacman -S gcc",
    "alpine": "apk add gcc musl-dev",
}


@dataclass(frozen=True)
class CCompiler:
    """One C compiler: the command with the user's own options, its kind, its full version text."""

    command: tuple[str, ...]
    kind: Compiler
    version: str

    @property
    def summary(self) -> str:
        """The first line of the version text."""
        return self.version.splitlines()[0]


def find_compiler() -> CCompiler:
    """Find the compiler that `CC` names, with its options, else the first of cc, gcc and clang.

    Raises BuildError if there is none, or if CC is set to something that is no gcc or clang.
    """
    setting = os.environ.get("CC", "").strip()
    if setting:
        return _compiler_of_setting(setting)
    for name in _CANDIDATES:
        executable = shutil.which(name)
        found = _identify((executable,)) if executable else None
        if found:
            return found
    raise BuildError(
        "no C compiler", expected="cc, gcc or clang on PATH", hint=f"{install_hint()}, {_SET_CC}"
    )


def _compiler_of_setting(setting: str) -> CCompiler:
    where = f"CC={setting}"
    try:
        words = shlex.split(setting)
    except ValueError as error:
        raise BuildError(
            f"cannot be split into words: {error}", where=where, hint="correct or unset CC"
        ) from error
    executable = shutil.which(words[0])
    if executable is None:
        raise BuildError(
            f"there is no program '{words[0]}'", where=where, hint="correct or unset CC"
        )
    found = _identify((executable, *words[1:]))
    if found is None:
        raise BuildError(
            "is not a working gcc or clang",
            where=where,
            expected="gcc or clang in the output of --version",
            hint="correct or unset CC",
        )
    return found


@functools.cache
def _identify(command: tuple[str, ...]) -> CCompiler | None:
    """Ask a program for its version; None if it fails, or is neither gcc nor clang."""
    try:
        answer = subprocess.run(
            [*command, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError:  # found, but not a program of this machine
        return None
    version = answer.stdout.strip()
    if answer.returncode != 0 or not version:
        return None
    if "clang" in version:
        return CCompiler(command, "clang", version)
    # A gcc that is called cc says so nowhere, but names its copyright holder.
    if "gcc" in version or "Free Software Foundation" in version:
        return CCompiler(command, "gcc", version)
    return None


def install_hint() -> str:
    """Say how a C compiler is installed on this system."""
    if platform.system() == "Darwin":
        return "install one with: xcode-select --install"
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    for name in (release.get("ID", ""), *release.get("ID_LIKE", "").split()):
        if name in _INSTALL:
            return f"install one with: {_INSTALL[name]}"
    return "install gcc or clang"
