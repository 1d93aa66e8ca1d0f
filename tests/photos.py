"""Photos with damage that Pillow warns of."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


def damage_metadata(photo: Image.Image, path: Path) -> None:
    """Write a JPEG that is turned, and whose metadata claims more entries than the one it has."""
    exif = photo.getexif()
    exif[0x0112] = 6  # the camera was turned: show rotated by 90 degrees clockwise
    whole = io.BytesIO()
    photo.save(whole, "JPEG", exif=exif)
    data = bytearray(whole.getvalue())
    count = data.index(b"Exif\0\0MM\0*\0\0\0\x08") + 14
    assert data[count : count + 2] == b"\0\x01"
    data[count + 1] = 9
    path.write_bytes(data)
