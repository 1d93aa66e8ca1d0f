"""A weight file -> named arrays, whatever its format."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from netgen.errors import WeightsError
from netgen.weights.archive import ZIP_FAULTS, open_archive
from netgen.weights.naming import one_line, shown
from netgen.weights.npz_file import read_npz
from netgen.weights.safetensors_file import read_safetensors
from netgen.weights.torch_file import read_torch_legacy, read_torch_zip

_FORMATS = "a torch checkpoint (.pth, .pt, .th), a .safetensors or a .npz file"

Arrays = dict[str, npt.NDArray[np.generic]]
Format = Literal["torch", "safetensors", "npz"]


@dataclass(frozen=True)
class WeightFile:
    """The content of a weight file.

    `arrays` are in the file's order, names, shapes and layouts, native-endian and read-only.
    float16 and bfloat16 have become float32 (exactly); float64, integers and booleans are as in the
    file, so that the caller can pass over counters such as `num_batches_tracked`. `format` decides
    whether the order means anything (`order.order_fault`). `sha256` is the hash of the whole file,
    in hex; `licence` what the file itself states, None where it does not.
    """

    path: Path
    format: Format
    arrays: Arrays
    sha256: str
    licence: str | None


def read_weights(path: Path) -> WeightFile:
    """Read a weight file; its content, not its extension, decides what it is.

    Formats: torch checkpoints in both of torch's forms (no torch needed, no code of the file is
    run), safetensors, npz (without pickled objects).

    Raises WeightsError where the file is missing, unreadable, of another format, damaged, or holds
    more than tensors and plain containers.
    """
    where = one_line(str(path))
    content = _read_content(path, where)
    try:
        kind, arrays, licence = _parse(content, where)
    except MemoryError as error:
        raise WeightsError(
            "there is not enough memory to read it",
            where=where,
            found=f"{len(content)} bytes",
            hint="save the parameters alone, or as float16",
        ) from error
    return WeightFile(path, kind, arrays, hashlib.sha256(content).hexdigest(), licence)


def _read_content(path: Path, where: str) -> bytes:
    try:
        # A pipe or device could block or never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise WeightsError(
                "cannot be read as a weight file",
                where=where,
                expected=_FORMATS,
                found="a folder" if path.is_dir() else "a pipe or device",
                hint="give the path of the file itself",
            )
        content = path.read_bytes()
    # ValueError: a path with a null character.
    except (OSError, ValueError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise WeightsError(
            f"the weight file cannot be read: {reason}",
            where=where,
            hint="check the path and the permissions",
        ) from error
    if not content:
        raise WeightsError("the weight file is empty", where=where, hint="download it again")
    return content


def _parse(content: bytes, where: str) -> tuple[Format, Arrays, str | None]:
    # safetensors has no magic number, but its header is JSON after a length of 8 bytes; neither a
    # zip file nor a torch checkpoint has that character there.
    if content[8:9] == b"{":
        return "safetensors", *read_safetensors(content, where)
    if content[:1] == b"\x80":
        return "torch", read_torch_legacy(content, where), None
    if content[:2] == b"PK":
        names = _entry_names(content, where)
        if any(name.endswith("/data.pkl") for name in names):
            return "torch", read_torch_zip(content, where), None
        if names and all(name.endswith(".npy") for name in names):
            return "npz", read_npz(content, where), None
    raise WeightsError(
        "not a weight file that netgen reads",
        where=where,
        expected=_FORMATS,
        found=f"a file that begins with the bytes {content[:8].hex(' ')}",
        hint="convert it to safetensors",
    )


def _entry_names(content: bytes, where: str) -> list[str]:
    try:
        with open_archive(content) as archive:
            return archive.namelist()
    except ZIP_FAULTS as error:
        raise WeightsError(
            f"a zip file (torch checkpoint or npz), but damaged or incomplete: {shown(str(error))}",
            where=where,
            hint="download or save it again",
        ) from error
