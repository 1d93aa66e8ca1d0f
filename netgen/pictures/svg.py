"""Shapes of the report's pictures, as SVG text. Colours are classes of `style.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from netgen.pictures.style import COLOURS, PICTURE

# Of the font's size: what an average character of a sans-serif font is wide.
_CHARACTER = 0.56


def plain(text: str) -> str:
    """Text for HTML and SVG; what is no printable character, a file's name may be, is escaped."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return escape("".join(shown))


def shortened(text: str, most: int) -> str:
    """The text in at most `most` characters; the middle gives way, as names differ at the ends."""
    if len(text) <= most:
        return text
    head = (most - 1) // 2
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def text_width(text: str, size: float) -> float:
    """About how wide a text is."""
    return _CHARACTER * size * len(text)


def number(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: float = 12,
    anchor: str = "start",
    role: str = "ink",
    turned: bool = False,
) -> str:
    """A line of text whose baseline starts, ends or has its `middle` at (x, y).

    A `turned` one runs upwards.
    """
    place = f'x="{number(x)}" y="{number(y)}" font-size="{number(size)}"'
    turn = f' transform="rotate(-90 {number(x)} {number(y)})"' if turned else ""
    return f'<text class="{role}" {place} text-anchor="{anchor}"{turn}>{plain(content)}</text>'


def box(x: float, y: float, width: float, height: float, role: str, *, hint: str = "") -> str:
    """A rectangle; `hint` is shown by the browser where the mouse rests."""
    place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    if not hint:
        return f'<rect class="{role}" {place}/>'
    return f'<rect class="{role}" {place}><title>{plain(hint)}</title></rect>'


def path(commands: str, role: str) -> str:
    """A path; `commands` are SVG's own."""
    return f'<path class="{role}" d="{commands}"/>'


def polyline(points: Sequence[tuple[float, float]], role: str) -> str:
    """Straight lines from point to point."""
    places = [f"{number(x)} {number(y)}" for x, y in points]
    return path(f"M{' L'.join(places)}", role)


def picture(width: float, height: float, shapes: Sequence[str], about: str) -> str:
    """An SVG element for the page; `about` says to those who cannot see it what it shows."""
    size = f'viewBox="0 0 {number(width)} {number(height)}" width="{number(width)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} height="{number(height)}" role="img"'
    return "\n".join([f'{head} aria-label="{plain(about)}">', *shapes, "</svg>"])


def standalone(svg: str) -> str:
    """The same as a file of its own, which brings its colours along."""
    head, rest = svg.split(">", 1)
    paper = '<rect class="paper" width="100%" height="100%"/>'
    return f"{head}>\n<style>{COLOURS}{PICTURE}</style>\n{paper}{rest}\n"


def ticks(most: float, count: int) -> list[int]:
    """Round numbers from 0 to at most `most`, about `count` of them."""
    steps = (factor * 10**power for power in range(18) for factor in (1, 2, 5))
    step = next(step for step in steps if most <= step * count)
    return list(range(0, int(most) + 1, step))


@dataclass
class Labels:
    """Texts that do not run into each other: one that would is left out."""

    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def reserve(self, x: float, y: float, width: float, height: float) -> bool:
        """Take a rectangle, unless some of it is taken already."""
        for left, top, right, bottom in self.taken:
            if x < right and x + width > left and y < bottom and y + height > top:
                return False
        self.taken.append((x, y, x + width, y + height))
        return True
