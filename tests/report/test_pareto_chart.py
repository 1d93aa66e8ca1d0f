"""The curve of RAM against time, measured against its points."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.pictures.svg import standalone, ticks
from netgen.plan.pareto import Point
from netgen.report.pareto_chart import pareto_chart
from netgen.report.tables import pareto_table
from tests.pictures import parse
from tests.report.pages import SVG, classes, number, points


def point(size: int, cycles: float, cut: str = "layer by layer") -> Point:
    return Point(1000, size, 0, 1.0, cycles, 3, cut, push_rows=False)


CURVES = st.lists(
    st.tuples(st.integers(0, 10**8), st.floats(1, 1e9)), min_size=1, max_size=20, unique=True
).map(lambda pairs: [point(size, cycles) for size, cycles in pairs])


@given(CURVES)
def test_dots_stand_in_proportion_and_on_the_curve(curve: list[Point]) -> None:
    root = parse(pareto_chart(curve, "net"))
    dots = [(number(c, "cx"), number(c, "cy")) for c in root.iter(f"{SVG}circle")]
    assert len(dots) == len(curve)
    (line,) = classes(root, "path", "curve")
    corners = points(line)
    assert corners[0] == dots[0]
    assert corners[-1] == dots[-1]
    assert set(dots) <= set(corners)
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(corners))
    x0, y0 = 64, 344
    right = max(x for x, _ in dots)
    most = max(p.arena_bytes for p in curve)
    fastest, slowest = min(p.cycles for p in curve), max(p.cycles for p in curve)
    top = min(y for _, y in dots)
    for (x, y), p in zip(dots, curve, strict=True):
        if most:
            assert x - x0 == pytest.approx((right - x0) * p.arena_bytes / most, abs=0.2)
        if slowest > 1.01 * fastest:
            part = (p.cycles - fastest) / (slowest - fastest)
            assert y0 - y == pytest.approx((y0 - top) * part, abs=0.2)


def test_less_than_a_percent_looks_small() -> None:
    curve = [point(2000, 1000.0), point(1000, 1001.0)]
    circles = list(parse(pareto_chart(curve, "net")).iter(f"{SVG}circle"))
    assert 0 < number(circles[0], "cy") - number(circles[1], "cy") < 40


@given(CURVES)
def test_labels_are_inside_and_apart(curve: list[Point]) -> None:
    root = parse(pareto_chart(curve, "net"))
    width = float(root.attrib["width"])
    places = []
    for text in classes(root, "text", "ink"):
        size, x, y = number(text, "font-size"), number(text, "x"), number(text, "y")
        assert x >= 0
        assert x + 0.5 * size * len(text.text or "") <= width
        places.append((x, x + 0.5 * size * len(text.text or ""), y))
    for n, (left, right, base) in enumerate(places):
        for other_left, other_right, other_base in places[:n]:
            apart = right <= other_left or other_right <= left
            assert apart or abs(base - other_base) >= 11


def test_the_ends_are_labelled_first() -> None:
    curve = [point(1000 - n, 100 + n) for n in range(20)]
    shown = [t.text for t in classes(parse(pareto_chart(curve, "net")), "text", "ink")]
    assert shown[0] == "0: 1,000"
    assert "19: 981" in shown or len(shown) < 3


def test_a_file_of_its_own_has_its_colours() -> None:
    text = standalone(pareto_chart([point(1000, 5.0)], "a<b&c"))
    root = parse(text)
    assert root.tag == f"{SVG}svg"
    assert "a<b&c" in root.attrib["aria-label"]
    (style,) = root.iter(f"{SVG}style")
    assert "--accent:" in (style.text or "")
    used = {name for e in root.iter() for name in e.attrib.get("class", "").split()}
    for name in used:
        assert f".{name} " in (style.text or "")


@given(st.floats(1, 1e12), st.integers(3, 9))
def test_ticks_are_round_and_not_too_many(most: float, count: int) -> None:
    found = ticks(most, count)
    assert found[0] == 0
    assert found[-1] <= most
    assert len(found) <= count + 1
    if most >= 10:
        assert len(found) > count / 3
    steps = {b - a for a, b in pairwise(found)}
    assert len(steps) <= 1
    assert all(str(step).rstrip("0") in {"1", "2", "5"} for step in steps)


def test_the_table_has_a_line_per_plan() -> None:
    table = pareto_table([point(1000, 5e6), point(700, 1e7, "by bands 0-3")])
    cells = [list(column.cells) for column in table.columns]
    assert cells[0] == ["0", "1"]
    assert cells[1] == ["1,000", "700"]
    assert cells[4] == ["5.00", "10.00"]
    assert cells[5] == ["+0.0 %", "+100.0 %"]
    assert cells[6] == ["layer by layer", "by bands 0-3"]
