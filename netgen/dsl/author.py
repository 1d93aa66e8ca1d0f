"""The line of a network's author: what every error of the DSL names."""

from __future__ import annotations

import contextlib
import inspect
import os
import traceback
from pathlib import Path

from netgen.ir.graph import SourceLine

# Frames of these folders are netgen's own machinery, and so is the unit that all architectures are
# made of; the context managers that netgen defines run inside contextlib. The nearest line outside
# is the author's.
_PACKAGE = Path(__file__).parents[1]
_MACHINERY = (
    *(f"{_PACKAGE / folder}{os.sep}" for folder in ("dsl", "ops", "ir")),
    str(_PACKAGE / "models" / "blocks.py"),
)
_CONTEXT_MANAGERS = contextlib.__file__


def author_line() -> SourceLine:
    """File and line of the nearest frame that is not netgen's own machinery."""
    frame = inspect.currentframe()
    while (
        frame is not None and frame.f_back is not None and _is_machinery(frame.f_code.co_filename)
    ):
        frame = frame.f_back
    if frame is None:  # an interpreter without frames
        return SourceLine("<unknown>", 0)
    return SourceLine(Path(frame.f_code.co_filename).name, frame.f_lineno)


def failing_line(error: BaseException, file: str) -> SourceLine:
    """Find the last line of `file` (as code objects name it) that an exception came through.

    Line 0 where it came through none: a file that could not be read, for example.
    """
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno or 0 for frame in frames if frame.filename == file]
    return SourceLine(Path(file).name, lines[-1] if lines else 0)


def described(error: BaseException) -> str:
    """Kind and message of a foreign exception, on one line."""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _is_machinery(file: str) -> bool:
    return file.startswith(_MACHINERY) or file == _CONTEXT_MANAGERS
