"""Warnings on the command line: one line each, as netgen's notes; none of NumPy's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import TINY_SOURCE, Cli
from tests.tools import run_python

# What the packages that netgen uses may do while a command runs.
WARNS = """
import warnings
import numpy as np
for _ in range(2):
    warnings.warn("Corrupt EXIF data.\\n  Expecting to read 4 bytes\\x1b[1m", UserWarning)
np.float32(3e38) * np.float32(10)
np.array([1e300]).astype(np.float32)
"""
NOTE = "netgen: note: Corrupt EXIF data. Expecting to read 4 bytes\\x1b[1m"


@pytest.fixture
def warning(tmp_path: Path) -> str:
    """MODEL of a file that warns when it is loaded, and overflows."""
    file = tmp_path / "tiny.py"
    file.write_text(TINY_SOURCE + WARNS)
    return f"{file}:tiny"


@pytest.mark.filterwarnings("default")
def test_warnings_of_libraries_are_notes(cli: Cli, warning: str) -> None:
    outcome = cli("show", warning)
    assert outcome.code == 0
    assert outcome.stderr.splitlines() == [NOTE]


@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=str)
def test_debug_shows_where_they_come_from(debug: tuple[str, ...], warning: str) -> None:
    """In a process of its own, where nothing but netgen decides what is shown."""
    done = run_python("-m", "netgen", *debug, "show", warning)
    for text in ("UserWarning: Corrupt EXIF", "RuntimeWarning: overflow", "tiny.py:"):
        assert (text in done.stderr) == bool(debug)
    assert debug or done.stderr.splitlines() == [NOTE]
