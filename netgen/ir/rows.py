"""Rows of images: which values have them, and which of them a row of a result needs."""

from __future__ import annotations

from dataclasses import dataclass


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
    """Row i of the result reads the rows from i * `stride` - `pad` on, `size` of them."""

    size: int = 1
    stride: int = 1
    pad: int = 0

    def end(self, rows: int, height: int) -> int:
        """Rows of an operand of `height` rows that the first `rows` rows of the result need."""
        return max(0, min(height, (rows - 1) * self.stride - self.pad + self.size))

    def begin(self, row: int, height: int) -> int:
        """The first row of the operand that row `row` of the result, or a later one, reads."""
        return max(0, min(height, row * self.stride - self.pad))
