"""The rows of a bench as an SVG bar chart, self-contained."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby
from math import ceil

from netgen.bench.machine import Machine
from netgen.bench.result import BenchRow, cores_note, noise_note

_WIDTH, _LEFT, _RIGHT = 860, 190, 230  # of the picture, of the names, of the numbers
_ROW, _BAR, _TITLE, _GAP = 24, 14, 30, 12
_INK, _PALE, _RULE = "#3b4252", "#667080", "#e3e7ee"
_FASTER, _SLOWER = "#4c8fc4", "#d9955b"


def bench_chart(rows: Sequence[BenchRow], machine: Machine) -> str:
    """One SVG: models as groups, a bar per peer as long as netgen's time divided by the peer's.

    A line stands at 1; a bar that ends before it is blue, netgen is faster there. Whiskers are the
    quartiles. Peers without times say so.
    """
    groups = [(label, list(group)) for label, group in groupby(rows, lambda row: row.model)]
    longest = max([1.0, *(row.ratio_high for row in rows if row.ratio_high is not None)])
    axis = _Axis(ceil(longest * 4 + 0.2) / 4)
    shapes: list[str] = []
    y = 64
    for label, group in groups:
        shapes.append(_text(16, y + 18, _title(label, group), size=14, fill=_INK))
        y += _TITLE
        for row in group:
            if row.runtime != "netgen":
                shapes += _bar(y, row, axis)
                y += _ROW
        y += _GAP
    noise = noise_note(rows)
    notes = [f"{cores_note(rows)}: {machine}", *([noise] if noise else [])]
    bottom = y + 22
    height = bottom + 12 + 18 * len(notes)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" '
        'font-family="Helvetica, Arial, DejaVu Sans, sans-serif">'
    )
    below = [_text(16, bottom + 18 * (n + 1), note) for n, note in enumerate(notes)]
    paper = f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
    parts = [head, paper, *_heading(), *_grid(axis, y), *shapes, *below, "</svg>"]
    return "\n".join(parts) + "\n"


class _Axis:
    """Ratios to places."""

    def __init__(self, most: float) -> None:
        self.most = most

    def place(self, ratio: float) -> float:
        """The x of a ratio."""
        return _LEFT + ratio / self.most * (_WIDTH - _LEFT - _RIGHT)


def _heading() -> list[str]:
    return [
        _text(16, 28, "netgen's time divided by the other runtime's", size=17, fill=_INK),
        _text(16, 48, "left of the line at 1 netgen is faster; whiskers are quartiles"),
    ]


def _grid(axis: _Axis, bottom: int) -> list[str]:
    step = next(s for s in (0.25, 0.5, 1, 2, 5, 10, 100, 1000) if axis.most / s <= 10 or s == 1000)
    shapes = []
    for index in range(int(axis.most / step) + 1):
        ratio = index * step
        x = axis.place(ratio)
        at_one = ratio == 1
        line = f'stroke="{_PALE if at_one else _RULE}" stroke-width="{1.5 if at_one else 1}"'
        shapes.append(f'<path d="M{x:.1f} 62 V{bottom}" {line}/>')
        shapes.append(_text(x, bottom + 16, f"{ratio:g}", anchor="middle"))
    return shapes


def _title(label: str, group: Sequence[BenchRow]) -> str:
    ours = group[0]
    time = "" if ours.median_ms is None else f"   netgen {ours.version}: {ours.median_ms:.3f} ms"
    return label + time


def _bar(y: int, row: BenchRow, axis: _Axis) -> list[str]:
    middle = y + _ROW // 2
    name = f"{row.runtime} {row.version or ''}".strip()
    shapes = [_text(_LEFT - 8, middle + 4, name, anchor="end")]
    if row.ratio is None or row.ratio_low is None or row.ratio_high is None:
        return [*shapes, _text(_LEFT + 6, middle + 4, "no times: see the table")]
    colour = _FASTER if row.ratio < 1 else _SLOWER
    x, low, high = (axis.place(ratio) for ratio in (row.ratio, row.ratio_low, row.ratio_high))
    top, end = middle - _BAR // 2, middle + _BAR // 2
    whisker = f"M{low:.1f} {middle} H{high:.1f}"
    whisker += "".join(f" M{at:.1f} {middle - 4} V{middle + 4}" for at in (low, high))
    numbers = f"{row.ratio:.2f}   ({row.ratio_low:.2f} to {row.ratio_high:.2f})"
    time = "" if row.median_ms is None else f"   {row.median_ms:.3f} ms"
    return [
        *shapes,
        f'<path d="M{_LEFT} {top} H{x:.1f} V{end} H{_LEFT} z" fill="{colour}"/>',
        f'<path d="{whisker}" fill="none" stroke="{_INK}" stroke-width="1.2"/>',
        _text(_WIDTH - _RIGHT + 14, middle + 4, numbers + time),
    ]


def _text(
    x: float, y: float, text: str, *, size: int = 12, fill: str = _PALE, anchor: str = "start"
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" text-anchor="{anchor}"'
    return f'<text {place} xml:space="preserve">{escape(text)}</text>'
