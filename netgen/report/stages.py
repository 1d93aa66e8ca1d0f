"""The network by stages, value by value in the order of execution, as narrow pictures.

Neighbours are joined by arrows; what is read later runs down a lane at the left. The picture is cut
into pieces that stand below each other, so that a page can lay them out in columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netgen.ir.graph import Graph
from netgen.ir.text import print_attributes
from netgen.pictures.memory_map import ring_rows
from netgen.pictures.svg import box, number, path, picture, shortened, text, text_width
from netgen.plan.data.execution_order import height, sources
from netgen.plan.data.plan import Plan

_WIDTH, _TALL, _MIDDLE, _TOP, _BOTTOM = 400, 46, 23, 6, 40
_LANE, _PIECE = 9, 4  # pixels between lanes, rows of a piece
_TITLE, _DETAIL = 11.0, 10.5
_BOLD, _WIDE = 1.12 * _TITLE, 1.08 * _DETAIL  # as bold letters, and digits, are wide


@dataclass(frozen=True)
class Row:
    """A value: what makes it, what it is, and the earlier values that it is made of.

    `banded` are rows of one segment that is executed band by band, by the segment's number.
    """

    name: str
    title: str
    detail: str
    reads: tuple[str, ...]
    banded: int | None = None


@dataclass(frozen=True)
class _Lane:
    """Beside the boxes from row `start` down to the last of the rows that it `feeds`."""

    column: int
    start: int
    feeds: frozenset[int]

    @property
    def end(self) -> int:
        return max(self.feeds)


def graph_rows(graph: Graph) -> list[Row]:
    """Inputs and computed values of a graph; its constants are left out."""
    rows = []
    for node in (*graph.inputs, *graph.states, *graph.activations):
        attributes = print_attributes(node.op).strip(" {}")
        title = f"{node.op.operator_name} {attributes}".strip()
        reads = tuple(name for name in node.operands if not graph.is_const(name))
        rows.append(Row(node.name, title, f"{node.name} : {node.type}", reads))
    return rows


def plan_rows(plan: Plan) -> list[Row]:
    """Inputs and steps of a plan: the C function, the result, and where that stands."""
    rows = [Row(name, "input", _placed(plan, name), ()) for name in plan.inputs]
    rows += [Row(s.value, f"state, then {s.next}", _placed(plan, s.value), ()) for s in plan.states]
    for segment_number, segment in enumerate(plan.segments):
        for index in range(segment.first, segment.last + 1):
            step = plan.steps[index]
            read = (source for value in step.reads.values() for source in sources(plan, value))
            whole = segment.first == segment.last and step.rows == height(plan, step)
            title = f"{index} {plan.instances[step.instance].name}"
            banded = None if whole else segment_number
            detail = _placed(plan, step.writes)
            rows.append(Row(step.writes, title, detail, tuple(dict.fromkeys(read)), banded))
    return rows


def _placed(plan: Plan, value: str) -> str:
    """A value, its shape, and where its buffer is."""
    buffer, shape = plan.buffer_of(value), plan.values[value].type.shape
    place = f"@{buffer.offset}" if buffer.in_arena else buffer.kind
    rows, all_rows = ring_rows(plan, buffer)
    ring = f", {rows} of {all_rows} rows" if rows < all_rows else ""
    return f"{value} {'×'.join(map(str, shape[1:]))} {place}{ring}"


def stage_pictures(rows: Sequence[Row], about: str) -> list[str]:
    """The pieces, as SVG from top to bottom."""
    lanes = _lanes(rows)
    left = 8 + _LANE * (1 + max((lane.column for lane in lanes), default=-1))
    pieces = []
    for first in range(0, len(rows), _PIECE):
        shapes: list[str] = []
        last = min(first + _PIECE, len(rows))
        for index in range(first, last):
            shapes += _row(rows, index, (index - first) * _TALL, left)
            shapes += _wires(rows, lanes, index, (index - first) * _TALL, left)
        title = f"{about}, values {first + 1} to {last} of {len(rows)}"
        pieces.append(picture(max(_WIDTH, left + 240), (last - first) * _TALL, shapes, title))
    return pieces


def _lanes(rows: Sequence[Row]) -> list[_Lane]:
    """Lanes for what is read further down than in the next row; they share columns."""
    place = {row.name: index for index, row in enumerate(rows)}
    feeds: dict[int, set[int]] = {}
    for index, row in enumerate(rows):
        for start in (place[name] for name in row.reads):
            if index > start + 1:
                feeds.setdefault(start, set()).add(index)
    lanes, ends = [], list[int]()
    for start in sorted(feeds):
        free = (column for column, end in enumerate(ends) if end <= start)
        column = next(free, len(ends))
        ends[column : column + 1] = [max(feeds[start])]
        lanes.append(_Lane(column, start, frozenset(feeds[start])))
    return lanes


def _row(rows: Sequence[Row], index: int, top: float, left: float) -> list[str]:
    """The box of a value, behind it the tint of its segment."""
    row = rows[index]
    width = max(_WIDTH, left + 240)
    room = width - left - 22
    shapes, note = [], ""
    if row.banded is not None:
        shapes.append(box(0, top, width, _TALL, "tint"))
        first = index == 0 or rows[index - 1].banded != row.banded
        note = f"segment {row.banded}, by bands" if first else ""
    reserved = text_width(note, _BOLD) + 8 if note else 0
    title = shortened(row.title, int((room - reserved) / text_width("n", _BOLD)))
    detail = shortened(row.detail, int(room / text_width("n", _WIDE)))
    shapes.append(box(left, top + _TOP, width - left - 6, _BOTTOM - _TOP, "panel", hint=_hint(row)))
    x = left + 8
    shapes.append(text(x, top + _TOP + 14, title, size=_TITLE, role="strong"))
    shapes.append(text(x, top + _TOP + 28, detail, size=_DETAIL, role="pale"))
    if note:
        place = (width - 12, top + _TOP + 14)
        shapes.append(text(*place, note, size=_DETAIL, anchor="end", role="mark"))
    return shapes


def _hint(row: Row) -> str:
    return f"{row.title}: {row.detail}"


def _wires(
    rows: Sequence[Row], lanes: Sequence[_Lane], index: int, top: float, left: float
) -> list[str]:
    """The pieces of arrows and lanes at the height of one row."""
    x = left + 16
    shapes = []
    if index > 0 and rows[index - 1].name in rows[index].reads:
        shapes.append(path(f"M{number(x)} {number(top)} v{_TOP - 2}", "wire"))
        shapes.append(_head(x, top + _TOP, "down"))
    if index + 1 < len(rows) and rows[index].name in rows[index + 1].reads:
        shapes.append(path(f"M{number(x)} {number(top + _BOTTOM)} v{_TALL - _BOTTOM}", "wire"))
    for lane in lanes:
        if lane.start <= index <= lane.end:
            shapes += _lane(lane, index, top, left)
    return shapes


def _lane(lane: _Lane, index: int, top: float, left: float) -> list[str]:
    """A lane at the height of a row: it leaves the box, passes, or enters it."""
    x = 6 + _LANE * lane.column
    leave, enter = top + _MIDDLE + 6, top + _MIDDLE - 6
    if index == lane.start:
        return [path(f"M{number(left)} {number(leave)} H{x} V{number(top + _TALL)}", "wire")]
    shapes = []
    if index < lane.end:
        shapes.append(path(f"M{x} {number(top)} v{_TALL}", "wire"))
    if index in lane.feeds:
        down = f"M{x} {number(top)} V{number(enter)} H{number(left - 4)}"
        shapes += [path(down, "wire"), _head(left, enter, "right")]
    return shapes


def _head(x: float, y: float, way: str) -> str:
    """An arrow's head whose tip is at (x, y)."""
    place = f"M{number(x)} {number(y)}"
    return path(f"{place} l-4 -5 h8 z" if way == "down" else f"{place} l-5 -4 v8 z", "head")
