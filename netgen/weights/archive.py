"""Zip files, the container of both torch checkpoints and `.npz`."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

ZIP_FAULTS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    RuntimeError,
    ValueError,
    LookupError,
    OverflowError,
    EOFError,
    OSError,
)
"""All that `zipfile` raises over a damaged or hostile archive.

RuntimeError stands for encrypted entries and, as its subclass, for unknown compressions.
"""


def open_archive(content: bytes) -> zipfile.ZipFile:
    """Open a zip file held in memory; raises one of ZIP_FAULTS where its directory is damaged."""
    return zipfile.ZipFile(io.BytesIO(content))
