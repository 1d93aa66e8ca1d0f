"""The trade of RAM for time as a picture: bytes of the arena to the right, time upwards."""

from __future__ import annotations

from collections.abc import Sequence

from netgen.plan.pareto import Point
from netgen.report.svg import Labels, number, path, picture, polyline, text, text_width, ticks

_WIDTH, _LEFT, _RIGHT, _TOP, _TALL = 760, 64, 96, 44, 300
_LETTERS = 11


def pareto_chart(points: Sequence[Point], network: str) -> str:
    """An SVG: the plans as points, joined by the steps of what fits into an arena.

    Time is estimated, and stands in times of the fastest plan's.
    """
    chart = _Chart(points)
    corners: list[tuple[float, float]] = []
    for point in points:
        if corners:
            corners.append((corners[-1][0], chart.y(point)))
        corners.append((chart.x(point), chart.y(point)))
    shapes = [*chart.grid(), polyline(corners, "curve")]
    for index, point in enumerate(points):
        hint = f"{point.arena_bytes:,} bytes, {chart.times(point):.2f} times: {point.cut}"
        x, y = chart.x(point), chart.y(point)
        shapes.append(
            f'<circle class="dot" cx="{number(x)}" cy="{number(y)}" r="5"><title>'
            f"plan {index}: {hint}</title></circle>"
        )
    about = f"Plans of {network}: estimated time against bytes of the arena"
    return picture(_WIDTH, _TOP + _TALL + 56, [*shapes, *chart.labels()], about)


class _Chart:
    """Places of points."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.points = points
        self.fastest = min(point.cycles for point in points) or 1.0
        self.most_bytes = max(1, *(point.arena_bytes for point in points))
        self.most_times = max(map(self.times, points))

    def times(self, point: Point) -> float:
        """How many times the fastest plan's time a plan takes."""
        return point.cycles / self.fastest

    def x(self, point: Point) -> float:
        """To the right by bytes."""
        return self._x(point.arena_bytes)

    def y(self, point: Point) -> float:
        """Upwards by time."""
        return self._y(self.times(point))

    def _x(self, size: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * size / self.most_bytes

    def _y(self, times: float) -> float:
        return _TOP + _TALL * (1 - times / (1.08 * self.most_times))

    def grid(self) -> list[str]:
        """Axes with their numbers."""
        bottom, right = _TOP + _TALL, _WIDTH - _RIGHT
        shapes = [text(_LEFT - 8, _TOP - 26, "estimated time, fastest = 1", role="pale", size=11)]
        for tick in ticks(100 * self.most_times, 7):
            y = self._y(tick / 100)
            shapes.append(path(f"M{_LEFT} {number(y)} H{right}", "grid"))
            shapes.append(text(_LEFT - 8, y + 4, f"{tick / 100:g}", anchor="end", role="pale"))
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
        for point in self.points:
            labels.reserve(self.x(point) - 5, self.y(point) - 5, 10, 10)
        order = [0, len(self.points) - 1, *range(1, len(self.points) - 1)]
        for index in dict.fromkeys(order):
            point = self.points[index]
            title = f"{index}: {point.arena_bytes:,}"
            wide = text_width(title, _LETTERS)
            x, y = self.x(point), self.y(point)
            for left, base in ((x + 8, y - 6), (x + 8, y + 15), (x - 8 - wide, y - 6)):
                if left >= _LEFT and labels.reserve(left, base - _LETTERS + 1, wide, _LETTERS + 1):
                    shapes.append(text(left, base, title, size=_LETTERS))
                    break
        return shapes
