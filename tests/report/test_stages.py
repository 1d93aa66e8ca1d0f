"""The network by stages: every edge is drawn once, and lanes do not run into each other."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.report.stages import Row, _lanes, graph_rows, plan_rows, stage_pictures
from tests.pictures import parse
from tests.report.pages import CASES, SVG, classes, fused, planned, source


@st.composite
def stages(draw: st.DrawFn) -> list[Row]:
    rows: list[Row] = []
    for n in range(draw(st.integers(1, 24))):
        names = [row.name for row in rows]
        reads = draw(st.lists(st.sampled_from(names), max_size=3, unique=True)) if names else []
        banded = draw(st.sampled_from([None, 1, 2]))
        rows.append(Row(f"v{n}", f"op {n}", "f32[1,2,3,4]", tuple(reads), banded))
    return rows


def pieces(rows: list[Row]) -> list[ET.Element]:
    return [parse(piece) for piece in stage_pictures(rows, "net")]


@given(stages())
def test_every_edge_ends_in_one_arrow(rows: list[Row]) -> None:
    heads = sum(len(classes(piece, "path", "head")) for piece in pieces(rows))
    assert heads == sum(len(row.reads) for row in rows)


@given(stages())
def test_lanes_of_one_column_follow_each_other(rows: list[Row]) -> None:
    place = {row.name: n for n, row in enumerate(rows)}
    far = {
        (place[name], n) for n, row in enumerate(rows) for name in row.reads if n - place[name] > 1
    }
    lanes = _lanes(rows)
    assert {(lane.start, end) for lane in lanes for end in lane.feeds} == far
    for a, b in combinations(lanes, 2):
        assert a.column != b.column or a.end <= b.start or b.end <= a.start


@given(stages())
def test_pieces_hold_all_rows_from_top_to_bottom(rows: list[Row]) -> None:
    drawn = pieces(rows)
    boxes = [box for piece in drawn for box in classes(piece, "rect", "panel")]
    assert [box.findtext(f"{SVG}title") for box in boxes] == [
        f"{row.title}: {row.detail}" for row in rows
    ]
    assert sum(float(piece.attrib["height"]) for piece in drawn) == 46 * len(rows)
    assert len({piece.attrib["width"] for piece in drawn}) == 1


def test_segments_are_tinted_and_named_once() -> None:
    rows = [Row("a", "input", "", ()), Row("b", "x", "", ("a",), 3), Row("c", "y", "", ("b",), 3)]
    (piece,) = pieces([*rows, Row("d", "z", "", ("c",))])
    assert len(classes(piece, "rect", "tint")) == 2
    assert [t.text for t in classes(piece, "text", "mark")] == ["segment 3, by bands"]


@pytest.mark.parametrize("case", CASES)
def test_stages_of_networks(case: str) -> None:
    graph, plan = fused(case), planned(case)
    for stage in (source(case), graph):
        rows = graph_rows(stage)
        assert [row.name for row in rows] == [n.name for n in (*stage.inputs, *stage.activations)]
        edges = sum(
            len({o for o in node.operands if not stage.is_const(o)}) for node in stage.activations
        )
        assert sum(len(set(row.reads)) for row in rows) == edges
    rows = plan_rows(plan)
    assert [row.name for row in rows] == [*plan.inputs, *(step.writes for step in plan.steps)]
    known: set[str] = set()
    for row in rows:
        assert set(row.reads) <= known
        known.add(row.name)
    shown = [row for row in rows if row.banded is not None]
    assert bool(shown) == (case in {"bands", "rows"})
