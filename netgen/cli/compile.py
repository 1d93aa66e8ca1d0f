"""The command `compile`: a model as C, as a library, or compiled for `netgen run`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netgen.cli import modes
from netgen.cli import options as cli_options
from netgen.cli import values as cli_values
from netgen.cli.depfile import write_depfile
from netgen.cli.measured import measured
from netgen.cli.output import load_for_values, progress
from netgen.cli.planning import planning_options
from netgen.cli.saved import save_compiled, targets_of
from netgen.plan.data.options import PlanOptions

if TYPE_CHECKING:
    from netgen.emission.options import WeightsAs
    from netgen.ir.graph import Graph


@click.command("compile")
@modes.refuses(modes.COMPILE)
@cli_options.model_arguments
@cli_options.compile_options
@cli_options.firmware_options
@planning_options
def compile_model(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    output: Path,
    target: str,
    weights_as: WeightsAs,
    prefix: str | None,
    selftest: bool,
    labels: Path | None,
    measure: str | None,
    max_arena: int | None,
    max_flash: int | None,
    depfile: Path | None,
    verify: bool,
    planning: PlanOptions,
) -> None:
    """Write a model as C: OUTPUT, the header beside it, and its weights.

    An OUTPUT.so is that C compiled for this machine, with the weights inside and the header beside
    it. An OUTPUT.netgen is what `netgen run` starts at once; for --target A,B,C it holds the model
    for several processors, and takes the best that runs.
    """
    from netgen.compiler import emit

    targets = targets_of(output, target)
    graph = load_for_values(model, weights, parameters)
    if verify:
        _verify_first(graph, targets, planning)
    with progress() as tell:
        tell("generating C")
        if modes.is_compiled(output):
            files = save_compiled(graph, output, targets, planning, tell)
        elif modes.is_library(output):
            files = _library(
                graph, output, targets[0], planning, prefix, labels, tell, selftest=selftest
            )
        else:
            limits = (max_arena, max_flash)
            files = emit(
                graph,
                output,
                target=target,
                weights_as=weights_as,
                prefix=prefix,
                selftest=selftest,
                footprint=measured(graph, target, planning, measure, limits, selftest=selftest),
                labels=labels,
                **planning.keywords(),
            )
    for file in files:
        click.echo(f"wrote {file} ({file.stat().st_size:,} bytes)", err=True)
    if depfile is not None:
        tuning = click.get_current_context().meta.get(cli_values.TUNING_FILE)
        write_depfile(depfile, files, [Path(model.partition(":")[0]), weights, tuning, labels])


def _library(
    graph: Graph,
    output: Path,
    target: str,
    planning: PlanOptions,
    prefix: str | None,
    labels: Path | None,
    tell: Callable[[str], None],
    *,
    selftest: bool,
) -> list[Path]:
    from netgen.emission.files import write_files
    from netgen.export.shared_library import library_files

    files = library_files(
        graph,
        output.stem,
        target,
        planning,
        prefix,
        selftest=selftest,
        labels=labels,
        progress=tell,
    )
    return write_files(output.parent, files)


def _verify_first(graph: Graph, targets: list[str], planning: PlanOptions) -> None:
    """Raise VerifyError unless the model, compiled for what runs here, agrees with NumPy."""
    from netgen.compiler import several_targets
    from netgen.report.verify import TOLERANCES, agreement_text, require_agreement, verify_graph
    from netgen.runtime.cpu import missing_features

    found = several_targets(targets) if len(targets) > 1 else []
    names = [each.name for each in found if not missing_features(each)] or targets
    for name in names:
        with progress() as tell:
            comparison = verify_graph(graph, name, "numpy", tell, planning)
        require_agreement(comparison, TOLERANCES["numpy"])
        click.echo(agreement_text(comparison, "numpy"), err=True)
