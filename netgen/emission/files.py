"""Output files: written whole, all of them, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from netgen.errors import UsageError


def write_files(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write every file of a folder, by its path there, or leave the folder as it was.

    Folders that are missing are made. Each file is first written beside its place; only when all
    are complete do they get their names. Where a name is a link, what it points to is replaced.
    Raises UsageError where the folder cannot be written, or something else than a file has the
    name.
    """
    pending: list[tuple[Path, Path]] = []
    made: list[Path] = []
    file = folder
    try:
        for name, content in files.items():
            file = folder / name
            made += _make_folders(file.parent, folder)
            place = _place(file)
            handle, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=place.parent)
            pending.append((Path(temporary), place))
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            # mkstemp makes private files; these are ordinary output.
            Path(temporary).chmod(0o666 & ~_umask())
        for written, place in pending:
            written.replace(place)
    except OSError as error:
        raise _refused(folder, file.name, error) from error
    finally:
        for written, _ in pending:
            with contextlib.suppress(OSError):
                written.unlink()
        for empty in reversed(made):
            with contextlib.suppress(OSError):
                empty.rmdir()  # only what is empty goes: nothing was written there
    return [folder / name for name in files]


def _make_folders(folder: Path, top: Path) -> list[Path]:
    """Make the folders below `top` that are missing; returns those made, the outermost first."""
    missing = [each for each in (folder, *folder.parents) if each.is_relative_to(top)]
    made = [each for each in reversed(missing) if each != top and not each.exists()]
    for each in made:
        each.mkdir()
    return made


def require_writable(file: Path) -> None:
    """Raise UsageError where `write_files` would, before what takes minutes."""
    try:
        place = _place(file)
        handle, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=place.parent)
        os.close(handle)
        Path(temporary).unlink()
    except OSError as error:
        raise _refused(file.parent, file.name, error) from error


def _refused(folder: Path, name: str, error: OSError) -> UsageError:
    if error.errno == errno.ENAMETOOLONG:
        return UsageError(
            f"cannot write to {folder}: the file name {name} is too long",
            hint="choose a shorter one with -o",
        )
    return UsageError(
        f"cannot write to {folder}: {error.strerror or error}",
        hint="choose another place with -o",
    )


def _place(path: Path) -> Path:
    """The real path of a file to write. Raises UsageError for a folder or a device."""
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        kind = "folder" if place.is_dir() else "device or pipe"
        raise UsageError(
            f"cannot write to {path.parent}: {path.name or path} is a {kind}",
            hint="choose another place with -o",
        )
    return place


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
