"""Numbers of bytes for people."""

from __future__ import annotations


def byte_words(count: int) -> str:
    """A number of bytes in the largest unit of which it has one: 12 bytes, 3.4 kB, 4.0 GB.

    Units are of 1024, as options read them.
    """
    size, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{count} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
