"""Output files: written whole, all of them, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from netgen.errors import UsageError


def write_files(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write every file of a folder, by name, or leave the folder as it was.

    Each is first written beside its place; only when all are complete do they get their names.
    Raises UsageError where the folder cannot be written.
    """
    pending: list[tuple[str, Path]] = []
    try:
        for name, content in files.items():
            handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
            pending.append((temporary, folder / name))
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            # mkstemp makes private files; these are ordinary output.
            Path(temporary).chmod(0o666 & ~_umask())
        for temporary, path in pending:
            if path.is_dir():
                raise IsADirectoryError(f"{path.name} is a folder")
        for temporary, path in pending:
            Path(temporary).replace(path)
    except OSError as error:
        raise UsageError(
            f"cannot write to {folder}: {error.strerror or error}",
            hint="choose another place with -o",
        ) from error
    finally:
        for temporary, _ in pending:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
    return [path for _, path in pending]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
