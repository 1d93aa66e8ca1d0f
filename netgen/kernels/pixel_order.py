"""The order of a band's pixels in a kernel whose result meets what it reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PixelOrder:
    """`rows` rows at once, column by column: of each all outputs are computed, then written.

    Those of the first `late` columns are written behind the last column, but for the first row's.
    """

    rows: int = 1
    late: int = 0


PIXEL_BY_PIXEL = PixelOrder()
