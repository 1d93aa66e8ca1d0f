"""The trade of RAM for time as a picture: bytes of the arena to the right, time upwards."""

from __future__ import annotations

from collections.abc import Sequence

from netgen.pictures.svg import Labels, number, path, picture, polyline, text, text_width, ticks
from netgen.plan.pareto import Point, slower

_WIDTH, _LEFT, _RIGHT, _TOP, _TALL = 760, 64, 96, 44, 300
_LETTERS = 11


def pareto_chart(points: Sequence[Point], network: str) -> str:
    """An SVG: the plans as points, joined by the steps of what fits into an arena.

    Time is estimated, and stands as what it is more than that of the fastest plan.
    """
    chart = _Chart(points)
    corners: list[tuple[float, float]] = []
    for place in chart.places:
        if corners:
            corners.append((corners[-1][0], place[1]))
        corners.append(place)
    shapes = [*chart.grid(), polyline(corners, "curve")]
    for index, (point, (x, y)) in enumerate(zip(points, chart.places, strict=True)):
        more = f"{point.arena_bytes:,} bytes, +{chart.percents[index]:.1f} % time"
        shapes.append(
            f'<circle class="dot" cx="{number(x)}" cy="{number(y)}" r="5"><title>'
            f"plan {index}: {more}, {point.cut}</title></circle>"
        )
    about = f"Plans of {network}: estimated time against bytes of the arena"
    return picture(_WIDTH, _TOP + _TALL + 56, [*shapes, *chart.labels()], about)


class _Chart:
    """Places of points."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.points = points
        self.percents = slower(points)
        self.most_bytes = max(1, *(point.arena_bytes for point in points))
        # Differences of less than a percent would be no reason for a plan: they should look small.
        self.most_percent = max(1.0, *self.percents)
        sizes = (point.arena_bytes for point in points)
        self.places = [
            (self._x(size), self._y(percent))
            for size, percent in zip(sizes, self.percents, strict=True)
        ]

    def _x(self, size: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * size / self.most_bytes

    def _y(self, percent: float) -> float:
        return _TOP + _TALL * (1 - percent / (1.08 * self.most_percent))

    def grid(self) -> list[str]:
        """Axes with their numbers."""
        bottom, right = _TOP + _TALL, _WIDTH - _RIGHT
        shapes = [text(8, _TOP - 26, "estimated time above the fastest", role="pale", size=11)]
        for tick in ticks(100 * self.most_percent, 7):
            y, percent = self._y(tick / 100), f"{tick / 100:g} %"
            shapes.append(path(f"M{_LEFT} {number(y)} H{right}", "grid"))
            shapes.append(text(_LEFT - 8, y + 4, percent, anchor="end", role="pale"))
        for tick in ticks(self.most_bytes, 7):
            x = self._x(tick)
            shapes.append(path(f"M{number(x)} {bottom} v5", "axis"))
            shapes.append(text(x, bottom + 20, f"{tick:,}", anchor="middle", role="pale", size=11))
        shapes.append(path(f"M{_LEFT} {bottom} H{right}", "axis"))
        shapes.append(text(right, bottom + 42, "bytes of the arena", anchor="end", role="pale"))
        return shapes

    def labels(self) -> list[str]:
        """The numbers of the plans, as in the table, where there is room; the ends come first."""
        labels, shapes = Labels(), []
        for x, y in self.places:
            labels.reserve(x - 5, y - 5, 10, 10)
        order = [0, len(self.points) - 1, *range(1, len(self.points) - 1)]
        for index in dict.fromkeys(order):
            title = f"{index}: {self.points[index].arena_bytes:,}"
            wide = text_width(title, _LETTERS)
            x, y = self.places[index]
            for left, base in ((x + 8, y - 6), (x + 8, y + 15), (x - 8 - wide, y - 6)):
                if left >= _LEFT and labels.reserve(left, base - _LETTERS + 1, wide, _LETTERS + 1):
                    shapes.append(text(left, base, title, size=_LETTERS))
                    break
        return shapes
