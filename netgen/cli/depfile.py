"""A rule of make for builds that run netgen: when the C has to be made anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from netgen.emission.files import write_files


def write_depfile(place: Path, made: Sequence[Path], given: Iterable[Path | None]) -> None:
    """Write the rule: the first file `made` depends on the given ones, as far as they are files.

    Build systems take one name there; the others are made with it.
    """
    files = [file for file in given if file is not None and file.is_file()]
    words = [" ".join(map(_escaped, each)) for each in (made[:1], files)]
    write_files(place.parent, {place.name: f"{words[0]}: {words[1]}\n".encode()})


def _escaped(file: Path) -> str:
    """A path as make reads it; an absolute one, since builds run in other folders."""
    text = str(file.absolute())
    for sign in ("\\", " ", "#", ":"):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("$", "$$")
