"""The command about time: `bench`, against other runtimes or against the core itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from netgen.cli import options as cli_options
from netgen.cli.board import bench_on_board
from netgen.cli.modes import BENCH, refuses
from netgen.cli.output import load_model, print_json, print_table, progress
from netgen.cli.planning import planning_option
from netgen.errors import UsageError

if TYPE_CHECKING:
    from netgen.bench.machine import Machine
    from netgen.bench.result import BenchRow
    from netgen.bench.suite import Case
    from netgen.plan.data.options import Image, PlanOptions, Ram, WeightsDtype
    from netgen.plan.data.tuning import Tuning


@click.command("bench")
@refuses(BENCH)
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@cli_options.model_options
@cli_options.bench_options
@cli_options.board_option
@cli_options.target_option
@planning_option("tuning")
@planning_option("small")
@planning_option("weights_dtype")
@planning_option("ram")
@planning_option("input")
@cli_options.as_json_option
def bench_models(
    models: tuple[str, ...],
    weights: Path | None,
    parameters: dict[str, str],
    table: str | None,
    folder: Path | None,
    profiled: bool,
    vs: str | None,
    rounds: int,
    threads: int,
    chart: Path | None,
    form: str,
    board: str | None,
    target: str,
    tuning: Tuning | None,
    small: bool,
    weights_dtype: WeightsDtype,
    ram: Ram,
    input: Image,
    as_json: bool,
) -> None:
    """Time models against other runtimes: interleaved rounds on the same cores, medians, ratios.

    A peer that cannot run is named and the rest goes on; it is an error if none can. --table fp32
    measures all published networks, --table int8 published .tflite files; int8 models run in fp32,
    too. --profile shows where a model's time goes. --board runs it on an emulated board, and counts
    instructions.
    """
    from netgen.bench.machine import this_machine
    from netgen.bench.peers import check_any_installed
    from netgen.bench.result import failure
    from netgen.plan.data.options import PlanOptions

    planning = PlanOptions(
        tuning=tuning,
        threads=threads,
        small=small,
        weights_dtype=weights_dtype,
        ram=ram,
        input=input,
    )
    cases = _cases(models, parameters, table, folder)
    if board is not None:
        bench_on_board(cases, weights, board, target, planning, as_json=as_json)
        return
    if profiled:
        _profile(cases, weights, rounds, target, planning, as_json=as_json)
        return
    machine, rows = this_machine(target), []
    peers = tuple(vs.split(",")) if vs else _default_peers(table, cases)
    if vs and table:
        # One model says at once what is missing; a table would for minutes measure nothing else.
        check_any_installed(peers)
    for case in cases:
        rows += _rows(case, weights, peers, rounds, target, planning)
    _write_chart(chart, rows, machine)
    if as_json:
        print_json([row.as_json() for row in rows])
    else:
        _print_rows(rows, machine, "summary" if table and form == "text" else form)
    click.get_current_context().exit(failure(rows))


def _default_peers(table: str | None, cases: tuple[Case, ...]) -> tuple[str, ...]:
    """All peers of a table, where one that is not there has dashes; of models one of each."""
    from netgen.bench.peers import of_floats
    from netgen.bench.suite import PEERS_OF_CODES

    if table is None:
        return tuple(dict.fromkeys(_default_peer(case.model) for case in cases))
    return PEERS_OF_CODES if any(case.published for case in cases) else of_floats()


def _default_peer(model: str) -> str:
    """The runtime that a user would otherwise take."""
    return "tflite" if model.endswith(".tflite") else "onnxruntime"


def _cases(
    models: tuple[str, ...], parameters: dict[str, str], table: str | None, folder: Path | None
) -> tuple[Case, ...]:
    """The models to measure: those of the command line, or those of a table."""
    from netgen.bench.suite import Case, find_suite

    if table is None:
        if not models:
            raise UsageError("there is nothing to measure", hint="give a MODEL, or --table fp32")
        return tuple(Case(model, parameters) for model in models)
    if models:
        raise UsageError("--table names the models itself", hint="leave out MODEL, or --table")
    return find_suite(table, folder)


def _rows(
    case: Case,
    weights: Path | None,
    peers: tuple[str, ...],
    rounds: int,
    target: str,
    planning: PlanOptions,
) -> list[BenchRow]:
    from netgen.bench.compiled import bench_target

    graph = load_model(case.model, weights, dict(case.parameters))
    label = " ".join([graph.name, *(f"{name}={value}" for name, value in case.parameters.items())])
    with progress() as tell:
        return bench_target(
            graph,
            target,
            peers,
            rounds,
            label,
            lambda text: tell(f"{label}: {text}"),
            planning,
            Path(case.model) if Path(case.model).suffix == ".tflite" else None,
        )


def _write_chart(chart: Path | None, rows: list[BenchRow], machine: Machine) -> None:
    from netgen.bench.chart import bench_chart
    from netgen.emission.files import write_files

    if chart is not None:
        write_files(chart.parent, {chart.name: bench_chart(rows, machine).encode()})


def _print_rows(rows: list[BenchRow], machine: Machine, form: str) -> None:
    """Print as `text`, a table for each model, or as one table: `summary` or `markdown`."""
    from netgen.bench.summary import summary_markdown, summary_table
    from netgen.bench.table import bench_notes, bench_tables

    if form == "markdown":
        click.echo(summary_markdown(rows))
        click.echo()
    else:
        for table in [summary_table(rows)] if form == "summary" else bench_tables(rows):
            print_table(table)
    click.echo("\n".join(bench_notes(rows, machine)))


def _profile(
    cases: tuple[Case, ...],
    weights: Path | None,
    runs: int,
    target: str,
    planning: PlanOptions,
    *,
    as_json: bool,
) -> None:
    """Print where the time of each model goes."""
    from netgen.bench.machine import this_machine
    from netgen.bench.profile import profile
    from netgen.bench.profile_table import profile_notes, profile_tables
    from netgen.compiler import lower, resolve_target

    machine, profiles = this_machine(target), []
    for case in cases:
        graph = load_model(case.model, weights, dict(case.parameters))
        with progress() as tell:
            tell("planning")
            lowered = lower(graph, resolve_target(target), planning)
            profiles.append(profile(graph, lowered, label=case.label, runs=runs, progress=tell))
    if as_json:
        print_json([{"machine": str(machine), **found.as_json()} for found in profiles])
        return
    for found in profiles:
        for table in profile_tables(found):
            print_table(table)
        click.echo("\n".join(profile_notes(found, machine)))
