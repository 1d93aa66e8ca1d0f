"""The commands about codes: `quantize`, and `accuracy`, which tells what they cost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netgen.cli import options as cli_options
from netgen.cli import values as cli_values
from netgen.cli.output import load_for_values, load_model, print_json, print_table, progress
from netgen.errors import UsageError
from netgen.quantisation.options import Observer, Ports, QuantizeOptions

if TYPE_CHECKING:
    from netgen.ir.graph import Graph
    from netgen.report.photos import PhotoOptions
    from netgen.runtime.inputs import Array
    from netgen.runtime.photos import Interpolation


@click.command()
@cli_options.model_arguments
@cli_options.quantize_options
@cli_options.picture_options
@cli_options.as_json_option
def quantize(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    images: Path,
    output: Path,
    observer: Observer,
    equalise: bool,
    correct_bias: bool,
    round_weights: bool,
    keep_float: tuple[str, ...],
    ports: Ports,
    judge_steps: bool,
    threshold: float,
    page: Path | None,
    resize: int | None,
    no_crop: bool,
    interpolation: Interpolation,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    as_json: bool,
) -> None:
    """Make codes of 8 bits from a network of floats and some images: OUTPUT is an .ir file.

    The report has the noise of each layer against the floats, and names layers that are noisy.
    """
    from netgen.ir.files import save_graph, write_whole
    from netgen.quantisation.blame import blamed
    from netgen.quantisation.quantise import quantise
    from netgen.report import quantisation as report
    from netgen.report.image_batches import read_batch
    from netgen.report.photos import PhotoOptions

    if output.suffix != ".ir":
        raise UsageError("codes are written as IR", found=str(output), hint="name it model.ir")
    graph = load_for_values(model, weights, parameters)
    options = QuantizeOptions(observer, equalise, correct_bias, round_weights, keep_float, ports)
    photos = PhotoOptions(resize, not no_crop, interpolation, mean, std)
    with progress() as tell:
        tell("reading images")
        given = {graph.inputs[0].name: read_batch(graph, images, None, photos)[0]}
        made = quantise(graph, given, options, tell, judge_steps=judge_steps)
    found = blamed(made.walk.noise, threshold, options)
    save_graph(made.graph, output)
    if page is not None:
        write_whole({page: report.quantisation_page(made, found, threshold).encode()})
    if as_json:
        print_json(report.quantisation_facts(made, found, threshold))
    else:
        print_table(report.noise_table(made))
        click.echo("\n".join(report.outcome_lines(made, found, threshold)))
    for file in (output, output.with_suffix(".safetensors"), *([page] if page else [])):
        click.echo(f"wrote {file} ({file.stat().st_size:,} bytes)", err=True)


@click.command()
@cli_options.model_arguments
@click.option("--images", required=True, type=click.Path(path_type=Path), help="Folder or .npz.")
@click.option(
    "--labels", type=click.Path(path_type=Path), help="A class per image, or its name and class."
)
@click.option("--first-class", default=0, help="What is added to labels, 1 with a background.")
@click.option("--against", help="Another MODEL, such as the one of floats: the same best class?")
@click.option("--against-weights", type=click.Path(path_type=Path), help="Weights of that one.")
@click.option(
    "--against-p",
    "against_parameters",
    multiple=True,
    metavar="NAME=VALUE",
    callback=cli_values.read_parameters,
    help="Parameter of that one.",
)
@cli_options.picture_options
@cli_options.target_option
@cli_options.as_json_option
def accuracy(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    images: Path,
    labels: Path | None,
    first_class: int,
    against: str | None,
    against_weights: Path | None,
    against_parameters: dict[str, str],
    resize: int | None,
    no_crop: bool,
    interpolation: Interpolation,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    target: str,
    as_json: bool,
) -> None:
    """Count right classes on labelled images, and those that another model agrees with."""
    from netgen.report.accuracy import accuracy_of
    from netgen.report.photos import PhotoOptions

    options = PhotoOptions(resize, not no_crop, interpolation, mean, std)
    graph = load_model(model, weights, parameters)
    with progress() as tell:
        scores, known = _scores(graph, images, labels, options, target, tell, against)
        other = None
        if against is not None:
            twin = load_model(against, against_weights, against_parameters)
            other = _scores(twin, images, labels, options, target, tell, against)[0]
    classes = None if known is None else known + first_class
    found = accuracy_of(scores, classes, other)
    if as_json:
        print_json(found.as_json())
        return
    shown = {"top-1": found.top1, "top-5": found.top5, "agreement": found.agreement}
    parts = [f"{name} {share:.4f}" for name, share in shown.items() if share is not None]
    click.echo(f"{found.images} images: {', '.join(parts)}")


def _scores(
    graph: Graph,
    images: Path,
    labels: Path | None,
    options: PhotoOptions,
    target: str,
    tell: Callable[[str], None],
    against: str | None,
) -> tuple[Array, Array | None]:
    """The scores of a network on a set of images, and the labels of that.

    Raises UsageError where there are no labels and is no model to compare it with.
    """
    from netgen.compiler import compile as compile_graph
    from netgen.report.accuracy import scores_of
    from netgen.report.image_batches import read_batch

    tell("reading images")
    given, known = read_batch(graph, images, labels, options)
    if known is None and against is None:
        raise UsageError(
            "there is nothing to count right classes by",
            where=str(images),
            hint="give --labels FILE (or y beside x in an .npz file), or --against MODEL",
        )
    compiled = compile_graph(graph, target=target, progress=tell)
    return scores_of(compiled, given, tell), known
