"""The command `export`: a model for other tools, a bundle that builds as it stands, or a wheel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from netgen.cli import options as cli_options
from netgen.cli.modes import EXPORT, refuses
from netgen.cli.output import load_for_values, progress
from netgen.cli.planning import planning_options
from netgen.plan.data.options import PlanOptions

if TYPE_CHECKING:
    from netgen.ir.graph import Graph

_BUNDLES = ("cmake", "make", "arduino", "platformio", "zephyr", "esp-idf", "cmsis-pack")


def _export_options(command: cli_options.Command) -> cli_options.Command:
    """Options: what to write, for whom, under which name."""
    file = click.Path(path_type=Path)
    return cli_options.with_options(
        command,
        click.option(
            "-o",
            "output",
            type=file,
            required=True,
            help="The folder; of onnx and tflite the file.",
        ),
        click.option(
            "--as", "form", type=click.Choice(["onnx", "tflite", *_BUNDLES, "wheel"]), required=True
        ),
        click.option(
            "--name", default="model", show_default=True, help="Of files, and opens all C names."
        ),
        click.option(
            "--board", metavar="NAME", help="Of cmake and make: build for it and run in QEMU."
        ),
        click.option(
            "--target",
            default="generic",
            show_default=True,
            help="Processor class; of a wheel several, by commas [there: all levels].",
        ),
        click.option("--labels", type=file, help="Of a wheel: one label per line."),
        click.option(
            "--package-version", default="1.0.0", show_default=True, help="Of a wheel: the model's."
        ),
    )


@click.command()
@refuses(EXPORT)
@cli_options.model_arguments
@_export_options
@planning_options
def export(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    output: Path,
    form: str,
    name: str,
    board: str | None,
    target: str,
    labels: Path | None,
    package_version: str,
    planning: PlanOptions,
) -> None:
    """Write a model for other tools.

    --as onnx and --as tflite write one file of standard operators: codes become QuantizeLinear and
    DequantizeLinear of ONNX; TensorFlow Lite's reference kernels compute them from a .tflite file
    to the byte. --as wheel writes a package for pip, which needs NumPy where it is installed, and
    neither netgen nor a compiler. All others write a folder that builds as it stands: the C, an
    example that tests it and runs it, a page with its numbers. Beside each there is a bill of
    materials (CycloneDX).
    """
    from netgen.emission.files import write_files
    from netgen.export.formats import exported, is_format
    from netgen.export.sbom import FILE, sbom
    from netgen.ir.origin import Origin

    graph = load_for_values(model, weights, parameters)
    title = output.stem if is_format(form) else name
    bill = sbom(title, package_version, graph.origin or Origin(graph.name))
    with progress() as tell:
        if is_format(form):
            folder = output.parent
            files = {output.name: exported(graph, form), f"{output.name}.{FILE}": bill}
        else:
            tell("generating C")
            folder = output
            if form == "wheel":
                files = _wheel(graph, name, package_version, target, labels, planning, tell)
            else:
                files = {**_bundle(graph, form, name, board, target, planning), FILE: bill}
    folder.mkdir(parents=True, exist_ok=True)
    for file in write_files(folder, files):
        click.echo(f"wrote {file} ({file.stat().st_size:,} bytes)", err=True)


def _wheel(
    graph: Graph,
    name: str,
    version: str,
    target: str,
    labels: Path | None,
    planning: PlanOptions,
    tell: Callable[[str], None],
) -> dict[str, bytes]:
    from netgen.export.wheel.files import default_targets, wheel_file

    source = click.get_current_context().get_parameter_source("target")
    chosen = source is ParameterSource.COMMANDLINE
    targets = [each.strip() for each in target.split(",")] if chosen else default_targets()
    file, content = wheel_file(graph, name, version, targets, planning, labels, tell)
    return {file: content}


def _bundle(
    graph: Graph, form: str, name: str, board: str | None, target: str, planning: PlanOptions
) -> dict[str, bytes]:
    from netgen.compiler import resolve_target
    from netgen.export.boards import find_board
    from netgen.export.bundle import bundle_files

    found = None if board is None else find_board(board)
    return bundle_files(graph, form, name, resolve_target(target), planning, found)
