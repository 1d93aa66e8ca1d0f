"""From a loaded network to its report."""

from __future__ import annotations

from collections.abc import Callable

from netgen.compiler import build, lower, resolve_target, runnable_target, with_input_type
from netgen.ir.graph import Graph
from netgen.ir.origin import Origin
from netgen.plan.data.options import PlanOptions, stored_as
from netgen.plan.pareto import pareto
from netgen.report.measure import measure_steps
from netgen.report.page import report_page
from netgen.runtime.compare import seeded_inputs


def make_report(
    graph: Graph,
    target: str,
    planning: PlanOptions,
    *,
    measure: bool,
    progress: Callable[[str], None],
) -> str:
    """The page of a graph. With `measure` it is compiled and run here, on a seeded image.

    Raises PlanError, and with `measure` BuildError where the target does not run here.
    """
    progress("planning")
    graph = with_input_type(graph, planning)
    resolved = runnable_target(target) if measure else resolve_target(target)
    lowered = lower(graph, resolved, planning)
    points = pareto(
        lowered.graph,
        resolved,
        planning.input,
        winograd=planning.winograd,
        weights=stored_as(planning.weights_dtype),
    )
    if not measure:
        return report_page(graph, lowered, points)
    model = build(lowered, graph.origin or Origin(graph.name), progress)
    progress("measuring")
    images = seeded_inputs(graph)
    inputs = tuple(images[name][0] for name in lowered.plan.inputs)
    measured = measure_steps(model, inputs, len(lowered.plan.steps))
    return report_page(graph, lowered, points, measured)
