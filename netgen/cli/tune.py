"""The commands that measure kernels on this machine: `tune`, and `fit` for the cost model."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netgen import __version__
from netgen.cli import options as cli_options
from netgen.cli.modes import TUNE, refuses
from netgen.cli.output import load_model, print_json, print_table, progress
from netgen.cli.planning import planning_options
from netgen.errors import UsageError
from netgen.plan.data.options import PlanOptions
from netgen.report.text import json_text

if TYPE_CHECKING:
    from netgen.tune.search import TuningResult


@click.command()
@refuses(TUNE)
@cli_options.model_arguments
@cli_options.tune_options
@cli_options.target_option
@planning_options
@cli_options.as_json_option
def tune(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    output: Path,
    most: int,
    target: str,
    planning: PlanOptions,
    as_json: bool,
) -> None:
    """Measure which choices of kernels are faster here than their own: for --tuning OUTPUT.

    Nothing else reads the file, and results do not depend on it, only their time. A network of
    fifty layers takes about a minute; keep the machine quiet.
    """
    from netgen.compiler import runnable_target
    from netgen.emission.files import require_writable, write_files
    from netgen.plan.json.tuning_file import tuning_to_json
    from netgen.report.tuning_table import tuning_table
    from netgen.runtime.compilers import find_compiler
    from netgen.tune.search import tune as search

    if output.suffix != ".json":
        raise UsageError("a tuning is JSON", found=str(output), hint="name it tuning.json")
    require_writable(output)
    compiler = find_compiler()
    graph = load_model(model, weights, parameters)
    with progress() as tell:
        result = search(
            graph,
            runnable_target(target),
            compiler,
            most=most,
            planning=planning,
            path=str(output),
            progress=tell,
        )
    document = tuning_to_json(result.tuning, __version__, compiler.kind)
    text = json_text(document, 1) + "\n"
    write_files(output.parent, {output.name: text.encode()})
    if as_json:
        print_json(asdict(result))
    else:
        print_table(tuning_table(result.layers))
        click.echo("\n".join(_outcome(result)))
    click.echo(f"wrote {output} ({len(text):,} bytes)", err=True)


def _outcome(result: TuningResult) -> list[str]:
    """The times of the whole network, and what they mean for the file."""
    own, tuned = result.own_seconds * 1e3, result.tuned_seconds * 1e3
    if result.rejected:
        return [
            f"untuned {own:.3f} ms; what won layer by layer did not make the network faster, so "
            "that the file keeps every kernel's own choice"
        ]
    return [
        f"untuned {own:.3f} ms, tuned {tuned:.3f} ms ({tuned / own:.3f}), by "
        f"{len(result.tuning.choices)} of {len(result.layers)} distinct layers"
    ]


@click.command(hidden=True)
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--check", "checked", multiple=True, required=True, help="A model to judge it on.")
@cli_options.target_option
def fit(models: tuple[str, ...], checked: tuple[str, ...], target: str) -> None:
    """Fit the cost model of tiles to the layers of some models, and judge it on others.

    For who changes kernels: what it prints belongs into kernels/targets.py.
    """
    from netgen.compiler import lower, runnable_target
    from netgen.runtime.compilers import find_compiler
    from netgen.tune.fit import fit_cycles, product_samples, rank

    resolved, compiler = runnable_target(target), find_compiler()
    with progress() as tell:
        seen, unseen = (
            [
                sample
                for model in names
                for plan in [lower(load_model(model, None, {}), resolved).plan]
                for sample in product_samples(plan, resolved, compiler, tell)
            ]
            for names in (models, checked)
        )
    cycles, gigahertz = fit_cycles(seen, resolved)
    click.echo(f"{cycles} at {gigahertz:.2f} GHz")
    for name, used in (("fitted", resolved.with_cycles(cycles)), ("before", resolved)):
        for what, samples in (("fitted on", seen), ("not seen", unseen)):
            found = rank(samples, used)
            click.echo(
                f"{name}, {what}: regret {found.regret:.3f}, tau {found.tau:.2f}, "
                f"{found.samples} layers"
            )
