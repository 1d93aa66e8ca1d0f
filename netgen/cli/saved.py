"""Compiled models in `.netgen` files, as commands use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from netgen.cli.modes import is_compiled
from netgen.cli.output import load_for_values
from netgen.plan.data.options import PlanOptions

if TYPE_CHECKING:
    from netgen.ir.graph import Graph
    from netgen.runtime.model import CompiledModel


def target_of(output: Path, target: str) -> str:
    """The target of an output: what is compiled here runs here, unless the user says otherwise."""
    source = click.get_current_context().get_parameter_source("target")
    chosen = source is ParameterSource.COMMANDLINE
    return "native" if is_compiled(output) and not chosen else target


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
    graph: Graph, output: Path, target: str, planning: PlanOptions, tell: Callable[[str], None]
) -> list[Path]:
    """Compile a graph here into one file."""
    from netgen.compiler import compile as compile_graph

    model = compile_graph(graph, target=target, progress=tell, **planning.keywords())
    model.save(output)
    return [output]
