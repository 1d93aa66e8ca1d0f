"""The page as a whole: well formed, complete, alone, the same each time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from netgen.compiler import Lowered, load, resolve_target
from netgen.ops.channel_map import ChannelMap
from netgen.passes import run_pipeline
from netgen.pictures.svg import plain, shortened
from netgen.plan.build import build_plan
from netgen.plan.pareto import Point, pareto
from netgen.report.layers import layer_facts
from netgen.report.page import report_page
from tests.cli.commands import TINY_SOURCE
from tests.pictures import parse
from tests.plan.small_graphs import BODIES, read
from tests.report.pages import CASES, SVG, fused, planned, source
from tests.tools import run_python

NO_WEIGHTS = np.empty(0, np.uint8)


@cache
def _curve(case: str) -> Sequence[Point]:
    return pareto(fused(case), resolve_target("generic"), CASES[case][2].input)


def curve(case: str) -> Sequence[Point]:
    # A budget is a point of the same network's curve.
    return _curve("layers" if case == "bands" else case)


def page(case: str, measured: Sequence[float] | None = None) -> str:
    lowered = Lowered(fused(case), planned(case), NO_WEIGHTS)
    return report_page(source(case), lowered, curve(case), measured)


def tree(text: str) -> ET.Element:
    """The page as XML, which HTML need not be: so that nothing is left open."""
    assert text.startswith("<!DOCTYPE html>\n")
    return parse(text.removeprefix("<!DOCTYPE html>\n"))


def text_of(element: ET.Element) -> str:
    return "".join(element.itertext())


def section(root: ET.Element, name: str) -> ET.Element:
    (found,) = (e for e in root.iter("section") if e.attrib["id"] == name)
    return found


def rows(table: ET.Element) -> list[list[str]]:
    body = table.find("tbody")
    assert body is not None
    return [[text_of(cell) for cell in row.iter("td")] for row in body.iter("tr")]


def first_table(root: ET.Element, name: str) -> list[list[str]]:
    return rows(next(section(root, name).iter("table")))


@pytest.mark.parametrize("case", CASES)
def test_the_page_is_alone_and_has_no_scripts(case: str) -> None:
    text = page(case)
    root = tree(text)
    assert not list(root.iter("script"))
    assert not list(root.iter("link"))
    assert set(re.findall(r"https?://[^\"]*", text)) == {"http://www.w3.org/2000/svg"}
    assert set(re.findall(r"url\([^)]*\)", text)) == {"url(#hatch)"}
    ids = [e.attrib["id"] for e in root.iter() if "id" in e.attrib]
    assert len(set(ids)) == len(ids)
    links = {e.attrib["href"] for e in root.iter("a")}
    assert links == {f"#{e.attrib['id']}" for e in root.iter("section")}
    assert not any(name.startswith("on") for e in root.iter() for name in e.attrib)


@pytest.mark.parametrize("case", CASES)
def test_totals(case: str) -> None:
    plan = planned(case)
    tiles = [e for e in tree(page(case)).iter("div") if e.attrib.get("class") == "tile"]
    shown = {t[1].text: int((t[0].text or "").replace(",", "")) for t in tiles}
    assert shown["MACs"] == fused(case).macs()
    assert shown["bytes of weights"] == plan.weights_bytes
    assert shown["bytes of arena"] == plan.certificate.arena_bytes
    assert shown["lower bound of the arena"] + shown["gap"] == shown["bytes of arena"]
    outputs = sum(fused(case)[name].type.bytes for name in plan.outputs)
    image = 0 if case == "rows" else sum(node.type.bytes for node in fused(case).inputs)
    assert shown["bytes of the caller's"] == outputs + image
    assert shown["bytes moved"] == 0
    assert (shown["segments"], shown["steps"]) == (len(plan.segments), len(plan.steps))


@pytest.mark.parametrize("case", CASES)
def test_layers(case: str) -> None:
    plan, root = planned(case), tree(page(case))
    lines = [line for line in first_table(root, "layers") if len(line) > 1]
    assert len(lines) == len(plan.steps) + 1
    shares = [float(line[-1].split(" %")[0]) for line in lines[:-1]]
    assert sum(shares) == pytest.approx(100, abs=0.05 * len(shares))
    graph = fused(case)
    for line, step in zip(lines, plan.steps, strict=False):
        assert line[1].startswith(step.name)
        macs = step.op.macs(graph.operand_types(graph[step.name]), graph[step.name].type)
        assert int(line[3].replace(",", "") or 0) == macs
        moved = {o for o in graph[step.name].operands if not graph.is_const(o)} | {step.name}
        expected = sum(graph[name].type.bytes for name in moved)
        assert int(line[5].replace(",", "")) == expected
    assert int(lines[-1][3].replace(",", "")) == graph.macs()
    heads = [line[0] for line in first_table(root, "layers") if len(line) == 1]
    assert bool(heads) == (case in {"bands", "rows"})


def test_measured_times_have_a_column() -> None:
    times = [0.25 * (n + 1) for n in range(len(planned("layers").steps))]
    lines = first_table(tree(page("layers", times)), "layers")
    for line, time in zip(lines, times, strict=False):
        assert line[-1].startswith(f"{time:.3f} ms{100 * time / sum(times):.1f} %")
    assert lines[-1][-1] == f"{sum(times):.3f} ms"
    assert "--measure" not in text_of(section(tree(page("layers", times)), "layers"))


@pytest.mark.parametrize("case", CASES)
def test_plans_between(case: str) -> None:
    points = curve(case)
    lines = first_table(tree(page(case)), "ram")
    assert [line[1] for line in lines] == [f"{point.arena_bytes:,}" for point in points]
    assert [line[-1] for line in lines] == [point.cut for point in points]
    fastest = min(point.cycles for point in points)
    assert [line[4] for line in lines] == [
        f"+{100 * p.cycles / fastest - 100:.1f} %" for p in points
    ]


def test_channel_maps_and_layouts() -> None:
    root = tree(page("maps"))
    maps = {
        node.name: node for node in fused("maps").activations if isinstance(node.op, ChannelMap)
    }
    assert maps
    shown = first_table(root, "channels")
    assert {line[0] for line in shown} == set(maps)
    for name, channels, operands in shown:
        op = maps[name].op
        assert isinstance(op, ChannelMap)
        assert channels == op.channels
        assert operands == "".join(f"x{n} = {o}" for n, o in enumerate(maps[name].operands))
    layouts = rows(list(section(root, "channels").iter("table"))[1])
    plan = planned("maps")
    for name, _, _, pitch, places in layouts:
        holds = {
            place: channel
            for run in places.split()
            for place, channel in zip(*(_range(side) for side in run.split("=")), strict=True)
        }
        layout = plan.layout(name)
        assert int(pitch) == layout.pitch
        assert [holds[place] for place in sorted(holds)] == [
            channel for _, channel in sorted(zip(layout.places(), range(len(holds)), strict=True))
        ]
    assert "nothing is moved" in text_of(section(root, "channels"))
    assert "There are no channel maps" in text_of(section(tree(page("layers")), "channels"))


def _range(text: str) -> range:
    first, stop, step = [*map(int, text.split(":")), 1][:3]
    return range(first, stop, step)


@pytest.mark.parametrize("case", CASES)
def test_all_stages_are_drawn(case: str) -> None:
    stages = list(section(tree(page(case)), "stages").iter("details"))
    assert ["open" in stage.attrib for stage in stages] == [False, False, True]
    drawn = [sum(r.attrib["class"] == "panel" for r in s.iter(f"{SVG}rect")) for s in stages]
    inputs = len(source(case).inputs)
    assert drawn == [
        inputs + len(source(case).activations),
        inputs + len(fused(case).activations),
        inputs + len(planned(case).steps),
    ]


@pytest.mark.parametrize("body", BODIES)
def test_pages_of_small_graphs(body: str) -> None:
    graph = read(BODIES[body])
    target = resolve_target("generic")
    done = run_pipeline(graph)
    lowered = Lowered(done, build_plan(done, target), NO_WEIGHTS)
    parse(report_page(graph, lowered, pareto(done, target)))


def test_shares_are_of_estimated_cycles() -> None:
    facts = layer_facts(planned("bands"))
    assert all(layer.cycles > 0 for layer in facts)
    bands = {step.name: step.rows for step in planned("bands").steps}
    for layer in facts:
        shape = planned("bands").values[layer.name].type.shape
        if len(shape) == 4 and "global" not in layer.operator:
            assert layer.bands * bands[layer.name] == shape[1]


HOSTILE = "a<b>&\"'c\x07.py"


def test_names_of_files_cannot_break_the_page(tmp_path: Path) -> None:
    (tmp_path / HOSTILE).write_text(TINY_SOURCE)
    graph = load(f"{tmp_path / HOSTILE}:tiny")
    done, target = run_pipeline(graph), resolve_target("generic")
    text = report_page(
        graph, Lowered(done, build_plan(done, target), NO_WEIGHTS), pareto(done, target)
    )
    root = tree(text)
    heading = next(root.iter("h1")).text or ""
    assert heading == HOSTILE.replace("\x07", "\\x07") + ":tiny"
    assert str(tmp_path) not in text


def test_plain_and_shortened() -> None:
    assert plain('<a href="x">&\'\n\x00é×') == ("&lt;a href=&quot;x&quot;&gt;&amp;&#x27;\\n\\x00é×")
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "ab…efg"


SCRIPT = """
from netgen.compiler import load
from netgen.plan.data.options import PlanOptions
from netgen.report.making import make_report
import hashlib
graph = load("shufflenet_v2", scale=0.5, input_size=64)
page = make_report(graph, "generic", PlanOptions(), measure=False, progress=lambda _: None)
print(hashlib.sha256(page.encode()).hexdigest())
"""


@pytest.mark.heavy
def test_equal_networks_give_equal_bytes() -> None:
    digests = {run_python("-c", SCRIPT, PYTHONHASHSEED=seed, PATH="").stdout for seed in ("0", "1")}
    assert len(digests) == 1
    assert len(digests.pop()) == 65
