"""The commands about plans: `plan` and `report`."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netgen.cli import options as cli_options
from netgen.cli.modes import PLAN, refuses
from netgen.cli.output import load_model, print_json, print_table, progress
from netgen.cli.planning import planning_options
from netgen.errors import PlanError, UsageError
from netgen.plan.data.options import PlanOptions, stored_as
from netgen.report.text import json_text

if TYPE_CHECKING:
    from netgen.ir.graph import Graph
    from netgen.plan.data.plan import Plan
    from netgen.plan.requantised import Requantised


@click.command()
@refuses(PLAN)
@click.argument("model", required=False)
@cli_options.model_options
@cli_options.plan_options
@planning_options
@cli_options.as_json_option
def plan(
    model: str | None,
    weights: Path | None,
    parameters: dict[str, str],
    target: str,
    output: Path | None,
    checked: Path | None,
    curve: bool,
    buffers: Path | None,
    capacity: int | None,
    planning: PlanOptions,
    as_json: bool,
) -> None:
    """Plan a model: steps, buffers, the arena and its certificate; or check a plan."""
    from netgen.cli.challenge import place_buffers
    from netgen.compiler import lower, resolve_target
    from netgen.emission.files import write_files
    from netgen.pictures.memory_map import memory_map
    from netgen.pictures.svg import standalone
    from netgen.plan.json.plan_to_json import ABOUT_WEIGHTS, plan_to_json
    from netgen.plan.requantised import requantised, requantised_lines
    from netgen.plan.show import certificate_lines, plan_table

    if [model, checked, buffers].count(None) != 2:
        raise UsageError("give either a MODEL to plan, a plan to --check or buffers in a --csv")
    if buffers is not None:
        place_buffers(buffers, output, capacity, accept_gap=planning.accept_gap, as_json=as_json)
        return
    if curve:
        _pareto(load_model(str(model), weights, parameters), target, planning, output, as_json)
        return
    codes: list[Requantised] = []
    if checked is not None:
        planned = _checked_plan(checked)
    else:
        graph = load_model(str(model), weights, parameters)
        lowered = lower(graph, resolve_target(target), planning)
        planned, codes = lowered.plan, requantised(lowered.plan, lowered.packed)
    document = plan_to_json(planned)
    if output is not None:
        drawn = output.suffix == ".svg"
        text = standalone(memory_map(planned)) if drawn else json_text(document, 1) + "\n"
        write_files(output.parent, {output.name: text.encode()})
    if as_json:
        print_json(document | ({ABOUT_WEIGHTS: [asdict(each) for each in codes]} if codes else {}))
    elif checked is not None:
        click.echo("\n".join(["the plan is right", *certificate_lines(planned)]))
    else:
        click.echo("\n".join([*plan_table(planned), *requantised_lines(codes)]))


def _checked_plan(file: Path) -> Plan:
    """Read and check a plan. Raises PlanError, which opens with the file's name."""
    from netgen.plan.check.check_plan import check_plan
    from netgen.plan.json.plan_file import read_plan

    try:
        planned = read_plan(file)
        check_plan(planned)
    except PlanError as error:
        if _is_curve(file):
            raise PlanError(
                "this is a curve of --pareto, not a plan",
                where=str(file),
                hint="plan one of its points: netgen plan MODEL --ram BYTES -o plan.json",
            ) from error
        if error.summary.startswith(f"{file}: "):
            raise
        raise PlanError(error.summary, where=str(file), details=error.details) from error
    return planned


def _is_curve(file: Path) -> bool:
    """Whether a file is what `--pareto -o` writes: a list of points."""
    from netgen.plan.pareto import Point

    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    keys = {field.name for field in fields(Point)}
    return (
        isinstance(document, list)
        and document != []
        and all(isinstance(point, dict) and point.keys() == keys for point in document)
    )


def _pareto(
    graph: Graph,
    target: str,
    planning: PlanOptions,
    output: Path | None,
    as_json: bool,
) -> None:
    """Print the plans from the fastest to the smallest; write them as a picture or as JSON."""
    from netgen.compiler import resolve_target, with_input_type
    from netgen.emission.files import write_files
    from netgen.passes import run_pipeline
    from netgen.pictures.svg import standalone
    from netgen.plan.pareto import pareto
    from netgen.report.pareto_chart import pareto_chart
    from netgen.report.tables import pareto_table

    if output is not None and output.suffix not in {".svg", ".json"}:
        raise UsageError(
            "plans are written as .svg or .json", found=str(output), hint="name it pareto.svg"
        )
    with progress() as tell:
        tell("planning")
        points = pareto(
            run_pipeline(with_input_type(graph, planning)),
            resolve_target(target),
            planning.input,
            winograd=planning.winograd,
            weights=stored_as(planning.weights_dtype),
        )
    document = [asdict(point) for point in points]
    if output is not None:
        svg = standalone(pareto_chart(points, graph.name))
        text = svg if output.suffix == ".svg" else json_text(document, 1) + "\n"
        write_files(output.parent, {output.name: text.encode()})
    if as_json:
        print_json(document)
    else:
        print_table(pareto_table(points))


@click.command()
@cli_options.model_arguments
@cli_options.report_options
@planning_options
def report(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    target: str,
    output: Path,
    measure: bool,
    planning: PlanOptions,
) -> None:
    """Write one self-contained page about a model: memory, RAM for time, layers, pictures."""
    from netgen.emission.files import write_files
    from netgen.report.making import make_report

    if output.suffix != ".html":
        raise UsageError("a report is a page", found=str(output), hint="name it report.html")
    graph = load_model(model, weights, parameters)
    with progress() as tell:
        page = make_report(graph, target, planning, measure=measure, progress=tell).encode()
    write_files(output.parent, {output.name: page})
    click.echo(f"wrote {output} ({len(page):,} bytes)", err=True)
