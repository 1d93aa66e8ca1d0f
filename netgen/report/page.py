"""`netgen report`: one self-contained page about a network and its plan, without scripts."""

from __future__ import annotations

from collections.abc import Sequence

from netgen import __version__
from netgen.compiler import Lowered
from netgen.emission.header import title_of
from netgen.ir.graph import Graph
from netgen.ir.origin import Origin
from netgen.kernels.targets import find_target
from netgen.pictures.style import COLOURS, PAGE, PICTURE
from netgen.pictures.svg import plain
from netgen.plan.data.plan import Plan
from netgen.plan.pareto import Point
from netgen.report.sections import (
    channels_section,
    folding_section,
    layers_section,
    memory_section,
    pareto_section,
    stages_section,
)


def report_page(
    source: Graph,
    lowered: Lowered,
    points: Sequence[Point],
    measured: Sequence[float] | None = None,
) -> str:
    """The page about a network as declared, and what it was lowered to.

    `measured` are milliseconds by step; without them equal networks give equal bytes.
    """
    origin, plan = source.origin or Origin(source.name), lowered.plan
    title = plain(title_of(origin))
    sections = (
        ("memory", "Memory over time", memory_section(plan)),
        ("ram", "RAM for time", pareto_section(points, plan.network)),
        ("layers", "Layers", layers_section(plan, measured)),
        ("folded", "What was folded", folding_section(source, lowered.graph)),
        ("channels", "Channel maps and layouts", channels_section(plan, lowered.graph)),
        ("stages", "The network by stages", stages_section(source, lowered.graph, plan)),
    )
    links = "".join(f'<a href="#{name}">{heading}</a>' for name, heading, _ in sections)
    body = "\n".join(
        f'<section id="{name}">\n<h2>{heading}</h2>\n{content}\n</section>'
        for name, heading, content in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{title}: netgen report</title>\n<style>{COLOURS}{PICTURE}{PAGE}</style>\n"
        f"</head>\n<body>\n<h1>{title}</h1>\n{_provenance(plan, origin)}\n{_tiles(plan)}\n"
        f"<nav>{links}</nav>\n{body}\n</body>\n</html>\n"
    )


def _provenance(plan: Plan, origin: Origin) -> str:
    """Target, image, weights, version."""
    target = find_target(plan.target)
    image = "in the caller's memory"
    if plan.push_rows:
        image = "pushed row by row"
    elif any(plan.buffers[plan.values[i].runs[0].buffer].kind == "arena" for i in plan.inputs):
        image = "in the arena"
    weights = "seeded numbers, not trained ones"
    if origin.weights_sha256 is not None:
        licence = origin.weights_licence or "not stated in the file"
        weights = f"{origin.weights_file}, licence: {licence}, sha256 {origin.weights_sha256}"
    parts = (
        f"Target {plain(target.name)} ({plain(target.summary)})",
        f"the image is {image}",
        f"weights: {plain(weights)}",
        f"netgen {__version__}",
    )
    return f'<p class="pale">{"; ".join(parts)}.</p>'


def _tiles(plan: Plan) -> str:
    """The totals."""
    certificate = plan.certificate
    fast = (("bytes of it in fast RAM", plan.fast_bytes),) if plan.slow_bytes else ()
    tiles = (
        ("MACs", plan.macs),
        ("bytes of weights", plan.weights_bytes),
        ("bytes of arena", certificate.arena_bytes),
        *fast,
        ("bytes of the caller's", plan.caller_bytes()),
        ("lower bound of the arena", certificate.lower_bound_bytes),
        ("gap", certificate.gap_bytes),
        ("bytes moved", plan.bytes_moved),
        ("segments", len(plan.segments)),
        ("steps", len(plan.steps)),
        ("C functions", len(plan.instances)),
    )
    cells = (f'<div class="tile"><b>{n:,}</b><span>{name}</span></div>' for name, n in tiles)
    return f'<div class="tiles">{"".join(cells)}</div>'
