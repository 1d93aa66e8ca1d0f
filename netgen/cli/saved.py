"""Compiled models in `.netgen` files, as commands use them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from netgen.cli.modes import is_built, is_compiled
from netgen.cli.output import load_for_values
from netgen.errors import UsageError
from netgen.plan.data.options import PlanOptions

if TYPE_CHECKING:
    from netgen.ir.graph import Graph
    from netgen.runtime.model import CompiledModel


def targets_of(output: Path, given: str) -> list[str]:
    """The targets of an output: what is compiled here runs here, unless the user says otherwise.

    Only a compiled model has several, by commas. Raises UsageError for others.
    """
    source = click.get_current_context().get_parameter_source("target")
    if source is not ParameterSource.COMMANDLINE and is_built(output):
        return ["native"]
    targets = [name.strip() for name in given.split(",")]
    if len(targets) > 1 and not is_compiled(output):
        raise UsageError(
            f"-o {output.name} is for one target",
            found=given,
            hint=f"choose one, or write a file that takes several: -o {output.stem}.netgen",
        )
    return targets


def compiled_model(
    model: str,
    weights: Path | None,
    parameters: dict[str, str],
    target: str,
    planning: PlanOptions,
    tell: Callable[[str], None],
) -> CompiledModel:
    """MODEL ready to run."""
    if is_compiled(model):
        from netgen.runtime.model import load_compiled

        return load_compiled(model)
    from netgen.compiler import compile as compile_graph

    graph = load_for_values(model, weights, parameters)
    return compile_graph(graph, target=target, progress=tell, **planning.keywords())


def save_compiled(
    graph: Graph,
    output: Path,
    targets: Sequence[str],
    planning: PlanOptions,
    tell: Callable[[str], None],
) -> list[Path]:
    """Compile a graph into one file for all targets."""
    from netgen.compiler import save

    save(graph, output, targets=targets, progress=tell, **planning.keywords())
    return [output]
