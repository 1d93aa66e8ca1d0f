"""The picture of the arena, measured against the plan."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import pytest

from netgen.pictures.memory_map import memory_map
from netgen.plan.data.plan import Plan
from tests.pictures import parse
from tests.report.pages import CASES, SVG, classes, number, planned


def arena(plan: Plan) -> list[str]:
    return [name for name, buffer in plan.buffers.items() if buffer.kind == "arena"]


@pytest.mark.parametrize("case", CASES)
def test_rectangles_are_where_the_buffers_are(case: str) -> None:
    plan = planned(case)
    root = parse(memory_map(plan))
    titled = {
        (rect.findtext(f"{SVG}title") or "").split(":")[0]: rect
        for name in ("hue", "ring")
        for rect in classes(root, "rect", name)
    }
    (line,) = classes(root, "path", "bound")
    left, right = (float(line.attrib["d"].split()[n].strip("MH")) for n in (0, 2))
    tint = classes(root, "rect", "tint")[0]
    floor = number(tint, "y") + number(tint, "height")
    a_byte = number(tint, "height") / plan.certificate.arena_bytes
    a_segment = (right - left) / len(plan.segments)
    for name in arena(plan):
        buffer, rect = plan.buffers[name], titled[name]
        life = buffer.last - buffer.first + 1
        top = floor - a_byte * (buffer.offset + buffer.bytes)
        assert number(rect, "y") == pytest.approx(top, abs=0.06)
        assert number(rect, "height") == pytest.approx(max(a_byte * buffer.bytes, 1), abs=0.06)
        assert number(rect, "x") == pytest.approx(left + a_segment * buffer.first, abs=0.11)
        assert number(rect, "width") == pytest.approx(a_segment * life, abs=0.11)


@pytest.mark.parametrize("case", CASES)
def test_rings_are_hatched(case: str) -> None:
    plan = planned(case)
    heights: dict[str, int] = {}
    for value in plan.values.values():
        if len(value.type.shape) == 4:
            home = value.runs[0].buffer
            heights[home] = max(heights.get(home, 0), value.type.shape[1])
    rings = {name for name in arena(plan) if plan.buffers[name].rows < heights.get(name, 1)}
    root = parse(memory_map(plan))
    hatched = [rect.findtext(f"{SVG}title") or "" for rect in classes(root, "rect", "ring")]
    assert {title.split(":")[0] for title in hatched} == rings
    assert bool(rings) == (case in {"bands", "rows"})
    for title in hatched:
        match = re.fullmatch(r"(.*?):.* ring of (\d+) of (\d+) rows", title)
        assert match is not None
        name, rows, height = match.groups()
        assert (int(rows), int(height)) == (plan.buffers[name].rows, heights[name])


@pytest.mark.parametrize("case", CASES)
def test_lower_bound_and_largest_segments(case: str) -> None:
    plan = planned(case)
    root = parse(memory_map(plan))
    sums = [0] * len(plan.segments)
    for shape in plan.rectangles:
        for segment in range(shape.first, shape.last + 1):
            sums[segment] += shape.bytes
    largest = [n for n, total in enumerate(sums) if total == plan.certificate.lower_bound_bytes]
    assert largest
    assert len(classes(root, "rect", "tint")) == len(largest)
    marked = [t.text for t in classes(root, "text", "mark") if "transform" in t.attrib]
    assert len(marked) == len(largest)
    (line,) = classes(root, "path", "bound")
    height = float(line.attrib["d"].split()[1])
    tops = [number(r, "y") for r in classes(root, "rect", "hue")]
    gap = plan.certificate.gap_bytes
    assert height == pytest.approx(min(tops), abs=0.2) if gap == 0 else height > min(tops)


@pytest.mark.parametrize("case", CASES)
def test_texts_are_inside_and_labels_apart(case: str) -> None:
    root = parse(memory_map(planned(case)))
    width, height = (float(root.attrib[a]) for a in ("width", "height"))
    for element in root.iter(f"{SVG}text"):
        assert 0 <= number(element, "x") <= width
        assert 0 <= number(element, "y") <= height
    boxes = []
    for label in classes(root, "text", "label"):
        long, tall = len(label.text or "") * 0.5 * number(label, "font-size"), 8.0
        across, along = (tall, long) if "transform" in label.attrib else (long, tall)
        x, y = number(label, "x"), number(label, "y")
        boxes.append((x - across / 2, y - along / 2, x + across / 2, y + along / 2))
    for a, b in combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] + 8 or b[3] <= a[1] + 8


def test_two_regions_of_ram() -> None:
    plan = planned("layers")
    assert not classes(parse(memory_map(plan)), "path", "region")
    root = parse(memory_map(replace(plan, fast_bytes=plan.certificate.arena_bytes // 4)))
    (line,) = classes(root, "path", "region")
    tint = classes(root, "rect", "tint")[0]
    top, height = number(tint, "y"), number(tint, "height")
    assert float(line.attrib["d"].split()[1]) == pytest.approx(top + 0.75 * height, abs=0.1)
    (text,) = classes(root, "text", "accent")
    assert text.text == f"fast RAM below {plan.certificate.arena_bytes // 4:,}"
