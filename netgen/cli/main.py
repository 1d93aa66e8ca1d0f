"""The command line: commands parse, call and print; nothing else prints."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netgen import __version__
from netgen.cli import modes
from netgen.cli import options as cli_options
from netgen.cli import values as cli_values
from netgen.cli.bench import bench_models
from netgen.cli.cache import cache
from netgen.cli.commands import Commands
from netgen.cli.compile import compile_model
from netgen.cli.completion import completion
from netgen.cli.difference import diff
from netgen.cli.doctor import doctor
from netgen.cli.export import export
from netgen.cli.guides import show_guide
from netgen.cli.output import (
    help_without_command,
    load_for_values,
    load_model,
    print_json,
    print_table,
    progress,
)
from netgen.cli.plan import plan, report
from netgen.cli.planning import planning_options
from netgen.cli.quantize import accuracy, quantize
from netgen.cli.saved import compiled_model
from netgen.cli.tune import fit, tune
from netgen.errors import UsageError
from netgen.plan.data.options import PlanOptions

if TYPE_CHECKING:
    from netgen.ir.graph import Graph
    from netgen.report.verify import Judge
    from netgen.runtime.photos import Interpolation


@click.group(
    cls=Commands,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="netgen")
def main(debug: bool) -> None:
    """Turn small convolutional networks into portable, fast C.

    MODEL is a name of `netgen list`, FILE.py:FUNCTION, a .onnx, .tflite or .ir file; to `run`, also
    a .netgen file, which is compiled already. Exit codes: 0 done, 2 wrong usage, 3 malformed
    network, 4 weights, 5 plan, 6 C compiler, 7 images, 8 results that do not agree, 9 a package
    that is not installed, 10 more memory than its budget.

    `netgen help` lists the guides.
    """
    del debug  # read by Commands.invoke
    help_without_command(click.get_current_context())


@main.command("list")
@cli_options.as_json_option
def list_models(as_json: bool) -> None:
    """List the architectures with their parameters, MACs and number of weights."""
    from netgen.models import NETWORKS
    from netgen.report.tables import network_facts, network_table

    networks = list(NETWORKS.values())
    if as_json:
        print_json(network_facts(networks))
    else:
        print_table(network_table(networks))


@main.command()
@modes.refuses(modes.SHOW)
@cli_options.model_arguments
@cli_options.show_options
@planning_options
def show(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    stage: str,
    form: str,
    target: str,
    planning: PlanOptions,
) -> None:
    """Show a model as declared, after the passes, or as planned."""
    from netgen.compiler import lower, resolve_target
    from netgen.ir.text import print_graph
    from netgen.passes import run_pipeline
    from netgen.plan.show import plan_table
    from netgen.report.graph_picture import graph_dot, graph_svg
    from netgen.report.tables import graph_table

    graph = load_model(model, weights, parameters)
    if stage == "plan":
        if form in {"dot", "svg"}:
            raise UsageError("a plan is not drawn as a graph", hint="use --format text")
        plan = lower(graph, resolve_target(target), planning).plan
        click.echo("\n".join(plan_table(plan)))
        return
    graph = run_pipeline(graph) if stage == "fused" else graph
    if form == "table":
        print_table(graph_table(graph))
    else:
        writers: dict[str, Callable[[Graph], str]] = {"dot": graph_dot, "svg": graph_svg}
        click.echo(writers.get(form, print_graph)(graph), nl=False)


@main.command()
@modes.refuses(modes.RUN)
@cli_options.model_arguments
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@cli_options.photo_options
@cli_options.target_option
@planning_options
@cli_options.as_json_option
def run(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    images: tuple[Path, ...],
    labels: Path | None,
    top: int,
    resize: int | None,
    no_crop: bool,
    interpolation: Interpolation,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    target: str,
    planning: PlanOptions,
    as_json: bool,
) -> None:
    """Classify photos: resize, crop the centre, normalise as the weights expect, run."""
    from netgen.report.photos import PhotoOptions, classify

    if planning.input_type == "u8":
        planning, mean, std = replace(planning, mean=mean, std=std), None, None
    options = PhotoOptions(resize, not no_crop, interpolation, mean, std)
    with progress() as tell:
        compiled = compiled_model(model, weights, parameters, target, planning, tell)
        photos = list(classify(compiled, images, top, labels, options))
    if as_json:
        print_json([asdict(photo) for photo in photos])
    else:
        from netgen.report.tables import photo_table

        print_table(photo_table(photos))


@main.command()
@modes.refuses(modes.VERIFY)
@cli_options.model_arguments
@click.option(
    "--against",
    type=click.Choice(["numpy", "onnxruntime", "tflite", "tflm"]),
    default="numpy",
    show_default=True,
    help="The reference; of a .tflite file tflite is LiteRT with its reference kernels, tflm "
    "TensorFlow Lite Micro.",
)
@click.option("--layers", is_flag=True, help="Print every layer.")
@click.option(
    "--tolerance",
    type=float,
    callback=cli_values.read_tolerance,
    help="Largest error [default: 1e-5, onnxruntime 1e-4].",
)
@cli_options.target_option
@planning_options
@cli_options.as_json_option
def verify(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    against: Judge,
    layers: bool,
    tolerance: float | None,
    target: str,
    planning: PlanOptions,
    as_json: bool,
) -> None:
    """Compile for this machine and compare with a reference, layer by layer."""
    from netgen.report.tables import comparison_table
    from netgen.report.verify import (
        TOLERANCES,
        agreement_text,
        inputs_text,
        require_agreement,
        verify_graph,
    )

    graph = load_for_values(model, weights, parameters)
    with progress() as tell:
        comparison = verify_graph(graph, target, against, tell, planning, Path(model))
    if as_json:
        shown = {"against": against, "inputs": inputs_text(graph, target)}
        print_json({**shown, **comparison.as_json()})
    else:
        if layers:
            print_table(comparison_table(comparison))
        click.echo(agreement_text(comparison, against))
        click.echo(inputs_text(graph, target))
    require_agreement(comparison, TOLERANCES[against] if tolerance is None else tolerance)


main.add_command(compile_model)
main.add_command(plan)
main.add_command(report)
main.add_command(fit)
main.add_command(tune)


main.add_command(quantize)
main.add_command(accuracy)
main.add_command(export)
main.add_command(diff)
main.add_command(bench_models)
main.add_command(show_guide)
main.add_command(doctor)
main.add_command(cache)
main.add_command(completion)


if __name__ == "__main__":
    sys.exit(main())
