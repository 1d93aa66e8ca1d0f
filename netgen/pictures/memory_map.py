"""The arena over time as a picture: segments to the right, bytes upwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netgen.pictures.svg import (
    Labels,
    box,
    number,
    path,
    picture,
    shortened,
    text,
    text_width,
    ticks,
)
from netgen.plan.data.plan import Buffer, Plan

_LEFT, _TOP, _TALL, _RIGHT = 92, 30, 400, 16
_LETTERS = 11.5  # the size of a label
_BOLD = 1.15 * _LETTERS  # as wide as a bold one
_LONGEST = 34  # characters of a name below the picture
_HUES = 6
_HATCH = (
    '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path class="hatch" d="M0 0 V7"/></pattern></defs>'
)


@dataclass(frozen=True)
class _Scale:
    """Segments and bytes to places; `wide` is a segment's width."""

    wide: float
    most: int

    def x(self, segment: int) -> float:
        """The left edge of a segment."""
        return _LEFT + segment * self.wide

    def y(self, place: float) -> float:
        """The height of a byte of the arena."""
        return _TOP + _TALL * (1 - place / self.most)


def memory_map(plan: Plan) -> str:
    """An SVG: every buffer of the arena from its first to its last segment, rings hatched.

    Dotted outlines are rectangles in which several buffers stand on each other, a dashed line is
    the lower bound, and the segments in which most bytes are alive are tinted.
    """
    count = len(plan.segments)
    scale = _Scale(min(max(960 / count, 15), 96), max(plan.certificate.arena_bytes, 1))
    names = [segment_name(plan, number) for number in range(count)]
    longest = max(text_width(shortened(name, _LONGEST), _BOLD) for name in names)
    arena = [buffer for buffer in plan.buffers.values() if buffer.in_arena]
    arena.sort(key=lambda b: (b.first, b.offset, b.name))
    width, bottom = scale.x(count) + _RIGHT, _TOP + _TALL
    shapes = [
        _HATCH,
        *_grid(scale, width),
        *_largest(plan, scale),
        *(shape for n, b in enumerate(arena) for shape in _buffer(plan, scale, b, n % _HUES)),
        *_shared(plan, scale),
        *_bound(plan, scale, width),
        *_regions(plan, scale, width),
        *_labels(scale, arena),
        *_names(scale, names, largest_segments(plan), bottom),
    ]
    about = f"Memory of {plan.network} over {count} segments, in bytes of the arena"
    return picture(width, bottom + longest + 22, shapes, about)


def segment_name(plan: Plan, number: int) -> str:
    """The steps of a segment: the first, and the last if there are more."""
    segment = plan.segments[number]
    first, last = plan.steps[segment.first].name, plan.steps[segment.last].name
    return first if segment.first == segment.last else f"{first} … {last}"


def ring_rows(plan: Plan, buffer: Buffer) -> tuple[int, int]:
    """The rows that a buffer holds at a time, and the rows of its tallest value."""
    held = [v.type.shape for v in plan.values.values() if v.runs[0].buffer == buffer.name]
    return buffer.rows, max((shape[1] for shape in held if len(shape) == 4), default=1)


def alive_bytes(plan: Plan) -> list[int]:
    """The sum of all rectangles' bytes, in each segment."""
    return [
        sum(r.bytes for r in plan.rectangles if r.first <= number <= r.last)
        for number in range(len(plan.segments))
    ]


def largest_segments(plan: Plan) -> list[int]:
    """The segments in which most bytes are alive."""
    alive = alive_bytes(plan)
    return [number for number, size in enumerate(alive) if size == max(alive)]


def _grid(scale: _Scale, width: float) -> list[str]:
    shapes = [text(_LEFT - 8, _TOP - 12, "bytes", role="pale", anchor="end", size=11)]
    for tick in ticks(scale.most, 6):
        y = scale.y(tick)
        shapes.append(path(f"M{_LEFT} {number(y)} H{number(width - _RIGHT)}", "grid"))
        shapes.append(text(_LEFT - 8, y + 4, f"{tick:,}", anchor="end", role="pale", size=11))
    return shapes


def _largest(plan: Plan, scale: _Scale) -> list[str]:
    """A tint behind the segments in which most bytes are alive, and arrows above them."""
    most = max(alive_bytes(plan))
    shapes = []
    for n in largest_segments(plan):
        hint = f"largest: {most:,} bytes alive"
        shapes.append(box(scale.x(n), _TOP, scale.wide, _TALL, "tint", hint=hint))
        tip = f"M{number(scale.x(n) + scale.wide / 2)} {_TOP - 3}"
        shapes.append(path(f"{tip} l-5 -8 h10 z", "mark"))
    return shapes


def _buffer(plan: Plan, scale: _Scale, buffer: Buffer, hue: int) -> list[str]:
    x, wide = scale.x(buffer.first), scale.wide * (buffer.last - buffer.first + 1)
    y = scale.y(buffer.offset + buffer.bytes)
    place = (x, y, wide, max(scale.y(buffer.offset) - y, 1))
    rows, height = ring_rows(plan, buffer)
    life = f"segments {buffer.first} to {buffer.last}"
    hint = f"{buffer.name}: {buffer.bytes:,} bytes at {buffer.offset:,}, {life}"
    if rows == height:
        return [box(*place, f"hue hue{hue}", hint=hint)]
    ring = f"{hint}; a ring of {rows} of {height} rows"
    return [box(*place, f"hue hue{hue}"), box(*place, "ring", hint=ring)]


def _shared(plan: Plan, scale: _Scale) -> list[str]:
    """Outlines of what several buffers overlap in."""
    shapes = []
    for shared in plan.rectangles:
        if len(shared.buffers) > 1:
            y = scale.y(shared.offset + shared.bytes)
            wide = scale.wide * (shared.last - shared.first + 1)
            tall = scale.y(shared.offset) - y
            shapes.append(box(scale.x(shared.first), y, wide, tall, "shared"))
    return shapes


def _bound(plan: Plan, scale: _Scale, width: float) -> list[str]:
    bound, gap = plan.certificate.lower_bound_bytes, plan.certificate.gap_bytes
    y = scale.y(bound)
    title = f"lower bound {bound:,}, gap {gap:,}"
    return [
        path(f"M{_LEFT} {number(y)} H{number(width - _RIGHT)}", "bound"),
        text(width - _RIGHT, _TOP - 12, title, anchor="end", role="mark", size=11),
    ]


def _regions(plan: Plan, scale: _Scale, width: float) -> list[str]:
    """A line at the end of the fast region of RAM, if there are two regions."""
    if plan.slow_bytes == 0:
        return []
    y, title = scale.y(plan.fast_bytes), f"fast RAM below {plan.fast_bytes:,}"
    return [
        path(f"M{_LEFT} {number(y)} H{number(width - _RIGHT)}", "region"),
        text(width - _RIGHT, y - 5, title, anchor="end", role="accent", size=11),
    ]


def _labels(scale: _Scale, arena: Sequence[Buffer]) -> list[str]:
    """Names in the rectangles that have room for them, the largest first; lying, else upright."""
    labels, shapes = Labels(), []
    for buffer in sorted(arena, key=lambda b: -b.bytes * (b.last - b.first + 1)):
        wide = scale.wide * (buffer.last - buffer.first + 1)
        tall = scale.y(0) - scale.y(buffer.bytes)
        x = scale.x(buffer.first) + wide / 2
        y = scale.y(buffer.offset + buffer.bytes / 2)
        long = text_width(buffer.name, _LETTERS)
        for across, along, room in ((long, _LETTERS, wide), (_LETTERS, long, tall)):
            turned = room is tall
            fits = across + 4 <= wide and along + 4 <= tall
            if fits and labels.reserve(x - across / 2, y - along / 2, across, along):
                at = (x + 4, y) if turned else (x, y + 4)
                shapes.append(
                    text(
                        *at,
                        buffer.name,
                        size=_LETTERS,
                        anchor="middle",
                        role="label",
                        turned=turned,
                    )
                )
                break
    return shapes


def _names(scale: _Scale, names: Sequence[str], largest: Sequence[int], bottom: float) -> list[str]:
    """The names of the segments, upright below them."""
    shapes = [path(f"M{_LEFT} {number(bottom)} H{number(scale.x(len(names)))}", "axis")]
    for n, name in enumerate(names):
        x = scale.x(n) + scale.wide / 2 + 4
        short, role = shortened(name, _LONGEST), "mark" if n in largest else "pale"
        shapes.append(
            text(x, bottom + 8, short, size=_LETTERS, anchor="end", role=role, turned=True)
        )
    if len(names) > 1:
        shapes.append(text(_LEFT - 8, bottom + 20, "segments", anchor="end", role="pale", size=11))
    return shapes
