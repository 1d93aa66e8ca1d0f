"""Reports for the tests: plans of small networks, and what a page holds, read as XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache
from typing import Any

from netgen.compiler import load, resolve_target
from netgen.ir.graph import Graph
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.plan import Plan

SVG = "{http://www.w3.org/2000/svg}"
# Networks with budgets: layer by layer, in bands and rings, with channel maps, with rows pushed.
CASES: dict[str, tuple[str, dict[str, Any], PlanOptions]] = {
    "layers": ("mobilenet_v2", {"alpha": 0.35, "input_size": 64}, PlanOptions()),
    "bands": ("mobilenet_v2", {"alpha": 0.35, "input_size": 64}, PlanOptions(ram=40_000)),
    "maps": ("shufflenet_v2", {"scale": 0.5, "input_size": 32}, PlanOptions()),
    "rows": ("resnet8", {}, PlanOptions(input="rows")),
}


@cache
def source(case: str) -> Graph:
    name, parameters, _ = CASES[case]
    return load(name, **parameters)


@cache
def fused(case: str) -> Graph:
    return run_pipeline(source(case))


@cache
def planned(case: str) -> Plan:
    return build_plan(fused(case), resolve_target("generic"), CASES[case][2])


def classes(root: ET.Element, tag: str, name: str) -> list[ET.Element]:
    """Elements of a tag that have a class."""
    return [e for e in root.iter(f"{SVG}{tag}") if name in e.attrib.get("class", "").split()]


def number(element: ET.Element, attribute: str) -> float:
    return float(element.attrib[attribute])


def points(path: ET.Element) -> list[tuple[float, float]]:
    """The corners of a path of straight absolute lines, `Mx y Lx y ...`."""
    parts = path.attrib["d"].replace("M", "").split(" L")
    return [(float(x), float(y)) for x, y in (part.split() for part in parts)]
