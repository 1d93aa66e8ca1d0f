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
    RuntimeError,  # an encrypted entry, and (NotImplementedError) an unknown compression
    ValueError,
    LookupError,
    OverflowError,
    EOFError,
    OSError,
)
"""All that `zipfile` raises over a damaged or hostile archive."""


def open_archive(content: bytes) -> zipfile.ZipFile:
    """Open a zip file held in memory; raises one of ZIP_FAULTS where its directory is damaged."""
    return zipfile.ZipFile(io.BytesIO(content))
