"""The command `export`: a model for other tools, or a bundle that builds as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from netgen.cli import options as cli_options
from netgen.cli.modes import EXPORT, refuses
from netgen.cli.output import load_for_values, progress
from netgen.cli.planning import planning_options
from netgen.plan.data.options import PlanOptions

if TYPE_CHECKING:
    from netgen.ir.graph import Graph


@click.command()
@refuses(EXPORT)
@cli_options.model_arguments
@cli_options.export_options
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
    planning: PlanOptions,
) -> None:
    """Write a model for other tools.

    --as onnx and --as tflite write one file of standard operators: codes become QuantizeLinear and
    DequantizeLinear of ONNX; TensorFlow Lite's reference kernels compute them from a .tflite file
    to the byte. All others write a folder that builds as it stands: the C, an example that tests it
    and runs it, a page with its numbers.
    """
    from netgen.emission.files import write_files
    from netgen.export.formats import exported, is_format

    graph = load_for_values(model, weights, parameters)
    if is_format(form):
        content = exported(graph, form)
        write_files(output.parent, {output.name: content})
        click.echo(f"wrote {output} ({len(content):,} bytes)", err=True)
        return
    with progress() as tell:
        tell("generating C")
        files = _bundle(graph, form, name, board, target, planning)
    output.mkdir(parents=True, exist_ok=True)
    for file in write_files(output, files):
        click.echo(f"wrote {file} ({file.stat().st_size:,} bytes)", err=True)


def _bundle(
    graph: Graph, form: str, name: str, board: str | None, target: str, planning: PlanOptions
) -> dict[str, bytes]:
    from netgen.compiler import resolve_target
    from netgen.export.boards import find_board
    from netgen.export.bundle import bundle_files

    found = None if board is None else find_board(board)
    return bundle_files(graph, form, name, resolve_target(target), planning, found)
