"""What the commands do with models that are compiled already: `.netgen` files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from netgen.cli import options as cli_options
from netgen.cli.output import load_for_values
from netgen.plan.data.options import PlanOptions

if TYPE_CHECKING:
    from netgen.ir.graph import Graph
    from netgen.runtime.model import CompiledModel

_SUFFIX = ".netgen"
_DECIDED = (
    *("weights", "parameters", "by_position", "target", "ram", "image", "accept_gap"),
    *("winograd", "tuning", "threads"),
)


def is_compiled(file: str | Path) -> bool:
    """Whether a MODEL or an output is a compiled model, by its name."""
    return Path(file).suffix == _SUFFIX


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
    memory: PlanOptions,
    tell: Callable[[str], None],
) -> CompiledModel:
    """MODEL ready to run. Raises UsageError for options that a compiled model has decided."""
    if is_compiled(model):
        from netgen.runtime.model import load_compiled

        cli_options.refuse_with("a compiled model", *_DECIDED)
        return load_compiled(model)
    from netgen.compiler import compile as compile_graph

    graph = load_for_values(model, weights, parameters)
    return compile_graph(
        graph, target=target, progress=tell, **cli_options.memory_arguments(memory)
    )


def save_compiled(
    graph: Graph, output: Path, target: str, memory: PlanOptions, tell: Callable[[str], None]
) -> list[Path]:
    """Compile a graph here into one file. Raises UsageError for options that are about C."""
    from netgen.compiler import compile as compile_graph

    cli_options.refuse_with(f"-o {output.name}", "weights_as", "prefix")
    model = compile_graph(
        graph, target=target, progress=tell, **cli_options.memory_arguments(memory)
    )
    model.save(output)
    return [output]
