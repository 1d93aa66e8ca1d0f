"""The command line: commands parse, call and print. The only module that prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from netgen import __version__
from netgen.cli_options import (
    as_json_option,
    model_arguments,
    model_options,
    read_numbers,
    target_option,
)
from netgen.errors import NetgenError, UsageError

if TYPE_CHECKING:
    from netgen.ir.graph import Graph


class Commands(click.Group):
    """Prints netgen's own errors as one line and exits with their code."""

    def invoke(self, context: click.Context) -> Any:  # noqa: ANN401  # click's own signature
        """Run the command; a traceback only with --debug."""
        try:
            return super().invoke(context)
        except NetgenError as error:
            if context.params.get("debug"):
                raise
            click.echo(f"netgen: error: {error}", err=True)
            context.exit(error.exit_code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="netgen")
def main(debug: bool) -> None:
    """Turn small convolutional networks into portable, fast C.

    MODEL is a name of `netgen list`, FILE.py:FUNCTION, or a .ir file. Exit codes: 0 done, 2 wrong
    usage, 3 malformed network, 4 weights, 5 plan, 6 C compiler, 7 images, 8 results that do not
    agree, 9 a package that is not installed.
    """
    del debug  # read by Commands.invoke


def _load(model: str, weights: Path | None, parameters: dict[str, str]) -> Graph:
    from netgen.compiler import load

    graph = load(model, weights=weights, **parameters)
    if graph.origin is not None and graph.origin.weights_sha256 is None:
        click.echo(
            "netgen: note: no --weights given: the weights are seeded numbers, not trained ones",
            err=True,
        )
    return graph


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A status line while something takes long; silent unless a person watches."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("working") as status:
        yield lambda text: status.update(text)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2))


def _print(*shown: object) -> None:
    console = Console()
    for item in shown:
        # Piped text keeps its long lines.
        console.print(item, soft_wrap=isinstance(item, str), markup=False, highlight=False)


@main.command("list")
@as_json_option
def list_models(as_json: bool) -> None:
    """List the architectures with their parameters, MACs and number of weights."""
    from netgen.models import NETWORKS
    from netgen.report.tables import network_facts, network_table

    networks = list(NETWORKS.values())
    if as_json:
        _print_json(network_facts(networks))
    else:
        _print(network_table(networks))


@main.command()
@model_arguments
@click.option(
    "--stage", type=click.Choice(["source", "fused", "plan"]), default="source", show_default=True
)
@click.option(
    "--format", "form", type=click.Choice(["table", "text", "dot", "svg"]), default="table",
    show_default=True,
)  # fmt: skip
@click.option("--target", default="generic", show_default=True, help="Target of the plan.")
def show(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    stage: str,
    form: str,
    target: str,
) -> None:
    """Show a model as declared, after the passes, or as planned."""
    from netgen.compiler import lower, resolve_target
    from netgen.ir.text import print_graph
    from netgen.passes import run_pipeline
    from netgen.plan.show import certificate_lines, memory_table, plan_table
    from netgen.report.graph_picture import graph_dot, graph_svg
    from netgen.report.tables import graph_table

    graph = _load(model, weights, parameters)
    if stage == "plan":
        if form in {"dot", "svg"}:
            raise UsageError("a plan is not drawn as a graph", hint="use --format text")
        plan = lower(graph, resolve_target(target)).plan
        for line in (*plan_table(plan), "", *memory_table(plan), "", *certificate_lines(plan)):
            click.echo(line)
        return
    graph = run_pipeline(graph) if stage == "fused" else graph
    if form == "table":
        _print(graph_table(graph))
    else:
        writers: dict[str, Callable[[Graph], str]] = {"dot": graph_dot, "svg": graph_svg}
        click.echo(writers.get(form, print_graph)(graph), nl=False)


@main.command("compile")
@model_arguments
@click.option("-o", "output", type=click.Path(path_type=Path), required=True, help="The C file.")
@click.option("--target", default="generic", show_default=True, help="Processor class.")
@click.option(
    "--weights-as", type=click.Choice(["c", "inline", "incbin", "blob"]), default="c",
    show_default=True, help="A second C file, in the one file, assembled from a binary, a blob.",
)  # fmt: skip
@click.option("--prefix", help="Opens all public names; by default the stem of -o.")
@click.option("--verify", is_flag=True, help="Compile and run it here against NumPy first.")
def compile_model(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    output: Path,
    target: str,
    weights_as: Any,  # noqa: ANN401  # one of the choices above
    prefix: str | None,
    verify: bool,
) -> None:
    """Write a model as C: OUTPUT, the header beside it, and its weights."""
    from netgen.compiler import emit

    graph = _load(model, weights, parameters)
    if verify:
        from netgen.report.verify import TOLERANCES, require_agreement, verify_graph

        with _progress() as tell:
            require_agreement(verify_graph(graph, target, "numpy", tell), TOLERANCES["numpy"])
    with _progress() as tell:
        tell("generating C")
        files = emit(graph, output, target=target, weights_as=weights_as, prefix=prefix)
    for file in files:
        click.echo(f"wrote {file} ({file.stat().st_size:,} bytes)", err=True)


@main.command()
@model_arguments
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--labels", type=click.Path(path_type=Path), help="One label per line.")
@click.option("--top", default=5, show_default=True, type=click.IntRange(min=1))
@click.option("--resize", type=int, help="Shorter side before the crop [default: input size].")
@click.option("--no-crop", is_flag=True, help="Squeeze the whole photo instead.")
@click.option(
    "--interpolation", default="bilinear", show_default=True,
    type=click.Choice(["nearest", "bilinear", "bicubic", "lanczos"]),
)  # fmt: skip
@click.option("--mean", callback=read_numbers, help="Per channel, 0..1, for example 0.5,0.5,0.5.")
@click.option("--std", callback=read_numbers, help="Per channel, 0..1.")
@target_option
@as_json_option
def run(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    images: tuple[Path, ...],
    labels: Path | None,
    top: int,
    resize: int | None,
    no_crop: bool,
    interpolation: Any,  # noqa: ANN401  # one of the choices above
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    target: str,
    as_json: bool,
) -> None:
    """Classify photos: resize, crop the centre, normalise as the weights expect, run."""
    from netgen.compiler import compile as compile_graph
    from netgen.report.photos import PhotoOptions, classify
    from netgen.report.tables import photo_table

    graph = _load(model, weights, parameters)
    options = PhotoOptions(resize, not no_crop, interpolation, mean, std)
    with _progress() as tell:
        compiled = compile_graph(graph, target=target, progress=tell)
        photos = list(classify(compiled, images, top, labels, options))
    if as_json:
        _print_json([asdict(photo) for photo in photos])
    else:
        _print(photo_table(photos))


@main.command()
@model_arguments
@click.option(
    "--against", type=click.Choice(["numpy", "onnxruntime"]), default="numpy", show_default=True
)
@click.option("--layers", is_flag=True, help="Print every layer.")
@click.option("--tolerance", type=float, help="Largest error allowed [default: 1e-5, peers 1e-4].")
@target_option
@as_json_option
def verify(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    against: Any,  # noqa: ANN401  # one of the choices above
    layers: bool,
    tolerance: float | None,
    target: str,
    as_json: bool,
) -> None:
    """Compile for this machine and compare with a reference, layer by layer."""
    from netgen.report.tables import comparison_table
    from netgen.report.verify import TOLERANCES, require_agreement, verify_graph

    graph = _load(model, weights, parameters)
    with _progress() as tell:
        comparison = verify_graph(graph, target, against, tell)
    if as_json:
        _print_json({"against": against, **asdict(comparison)})
    else:
        if layers:
            _print(comparison_table(comparison))
        click.echo(f"worst error against {against}: {comparison.max_relative_error:.1e}")
    require_agreement(comparison, TOLERANCES[against] if tolerance is None else tolerance)


@main.command()
@click.argument("model", required=False)
@model_options
@click.option("--target", default="generic", show_default=True, help="Processor class.")
@click.option("-o", "output", type=click.Path(path_type=Path), help="Write the plan as JSON.")
@click.option("--check", "checked", type=click.Path(path_type=Path), help="Check a plan's JSON.")
@as_json_option
def plan(
    model: str | None,
    weights: Path | None,
    parameters: dict[str, str],
    target: str,
    output: Path | None,
    checked: Path | None,
    as_json: bool,
) -> None:
    """Plan a model: steps, buffers, the arena and its certificate; or check a plan."""
    from netgen.compiler import lower, resolve_target
    from netgen.emit.files import write_files
    from netgen.plan.check import check_plan
    from netgen.plan.json_form import plan_to_json
    from netgen.plan.read import read_plan
    from netgen.plan.show import certificate_lines, memory_table, plan_table

    if (model is None) == (checked is None):
        raise UsageError("give either a MODEL to plan or a plan to --check")
    if checked is not None:
        planned = read_plan(checked)
        check_plan(planned)
    else:
        planned = lower(_load(str(model), weights, parameters), resolve_target(target)).plan
    document = plan_to_json(planned)
    if output is not None:
        write_files(output.parent, {output.name: (json.dumps(document, indent=1) + "\n").encode()})
    if as_json:
        _print_json(document)
    elif checked is not None:
        click.echo("\n".join(["the plan is right", *certificate_lines(planned)]))
    else:
        lines = (*plan_table(planned), "", *memory_table(planned), "", *certificate_lines(planned))
        click.echo("\n".join(lines))


@main.command()
@model_arguments
@click.option("-o", "output", type=click.Path(path_type=Path), required=True)
@click.option("--as", "form", type=click.Choice(["onnx"]), required=True)
def export(
    model: str, weights: Path | None, parameters: dict[str, str], output: Path, form: str
) -> None:
    """Write a model for other tools: --as onnx writes one file of standard operators."""
    del form  # the only choice so far
    from netgen.emit.files import write_files
    from netgen.export.onnx_file import graph_to_onnx

    content = graph_to_onnx(_load(model, weights, parameters))
    write_files(output.parent, {output.name: content})
    click.echo(f"wrote {output} ({len(content):,} bytes)", err=True)


@main.command("bench")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@model_options
@click.option("--vs", default="onnxruntime", show_default=True, help="Peers, by commas.")
@click.option("--rounds", default=50, show_default=True, type=click.IntRange(min=1))
@target_option
@as_json_option
def bench_models(
    models: tuple[str, ...],
    weights: Path | None,
    parameters: dict[str, str],
    vs: str,
    rounds: int,
    target: str,
    as_json: bool,
) -> None:
    """Time models against other runtimes: interleaved rounds on one core, medians, ratios."""
    from netgen.bench.bench import bench
    from netgen.bench.table import bench_table
    from netgen.compiler import compile as compile_graph

    rows = []
    for model in models:
        graph = _load(model, weights, parameters)
        with _progress() as tell:
            compiled = compile_graph(graph, target=target, progress=tell)
            rows += bench(
                graph,
                compiled,
                peers=vs.split(","),
                rounds=rounds,
                on_round=lambda done, total: tell(f"round {done} of {total}"),
            )
    if as_json:
        _print_json([row.as_json() for row in rows])
    else:
        _print(bench_table(rows))


if __name__ == "__main__":
    sys.exit(main())
