"""Rows of images: which values have them, and which of them a row of a result needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


def is_image(shape: tuple[int, ...]) -> bool:
    """Whether a value of this shape has rows: [1,H,W,C]."""
    return len(shape) == 4 and shape[0] == 1


def rows_of(shape: tuple[int, ...]) -> int:
    """The number of rows of a value of this shape: one unless it is an image."""
    return shape[1] if is_image(shape) else 1


def recuts(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether a reshape cuts elements into other pixels, or pixels into other rows."""
    rows = is_image(after) and rows_of(before) != rows_of(after)
    return rows or before[-1:] != after[-1:]


@dataclass(frozen=True)
class Reach:
    """Row i of the result reads `size` rows from floor((i * `stride` - `pad`) / `step`) on.

    A `step` above 1 is that of enlargements. Some of these rows may not be read.
    """

    size: int = 1
    stride: int = 1
    pad: int = 0
    step: int = 1

    def end(self, rows: int, height: int) -> int:
        """Rows of an operand of `height` rows that the first `rows` rows of the result need."""
        return max(0, min(height, self.lowest(rows - 1) + self.size))

    def begin(self, row: int, height: int) -> int:
        """The first row of the operand that row `row` of the result, or a later one, reads."""
        return max(0, min(height, self.lowest(row)))

    def lowest(self, row: int) -> int:
        """The first row that a row of the result reads, below 0 where that is outside the image."""
        return (row * self.stride - self.pad) // self.step


def reach_of(rows: Sequence[tuple[int, int]], stride: int, step: int) -> Reach:
    """The narrowest reach, of this slope, of a result whose row i reads `rows`[i]: first and last.

    Rows must not go back.
    """
    pad = max(row * stride - (first + 1) * step for row, (first, _) in enumerate(rows)) + 1
    narrow = Reach(0, stride, pad, step)
    return replace(
        narrow, size=max(last + 1 - narrow.lowest(n) for n, (_, last) in enumerate(rows))
    )
