"""Programs beside the host's C compiler: cross compilers, their tools, emulators."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from netgen.errors import BuildError

_LINES = 6


def require_programs(names: Sequence[str], packages: Sequence[str]) -> None:
    """Raise BuildError unless all are on PATH; the message names the packages that have them."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise BuildError(
            f"there is no program {' or '.join(missing)}",
            expected=f"{', '.join(names)} on PATH",
            hint=f"install with: apt install {' '.join(packages)}",
        )


def run_program(command: Sequence[str | Path], folder: Path, seconds: float = 600.0) -> str:
    """Run a program in a folder; returns what it printed.

    Raises BuildError where it cannot be started, fails, or takes longer than so many seconds.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
        )
    except OSError as error:
        raise BuildError(f"cannot start {words[0]}: {error.strerror or error}") from error
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{words[0]} did not end within {seconds:.0f} s") from error
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()
        shown = [line for line in lines if "error" in line] or lines[-_LINES:]
        raise BuildError(f"{words[0]} failed with status {done.returncode}", details=shown[:_LINES])
    return done.stdout
