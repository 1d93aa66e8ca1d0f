"""Shared parts of commands: loading MODEL, printing, the status line."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
from rich.console import Console

from netgen.cli import options as cli_options
from netgen.errors import NetgenNote, UsageError
from netgen.report.text import json_text, note_text

if TYPE_CHECKING:
    from rich.table import Table

    from netgen.ir.graph import Graph


def help_without_command(context: click.Context) -> None:
    """Print the help of a group that is called without one of its commands: wrong usage."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(UsageError.exit_code)


def load_model(model: str, weights: Path | None, parameters: dict[str, str]) -> Graph:
    """The graph of MODEL, with the weights that the command line names."""
    from netgen.compiler import load

    given = click.get_current_context().meta
    if (outputs := given.get(cli_options.OUTPUTS)) is not None:
        parameters = {**parameters, "outputs": outputs}
    by_position = bool(given.get(cli_options.BY_POSITION))
    shapes = given.get(cli_options.INPUT_SHAPES)
    bound = {"shapes": shapes} if shapes else {}
    return load(model, weights=weights, by_position=by_position, named=parameters, **bound)


def load_for_values(model: str, weights: Path | None, parameters: dict[str, str]) -> Graph:
    """Load a model of whose weights the values matter: says so where they are made up."""
    graph = load_model(model, weights, parameters)
    if graph.origin is not None and graph.origin.weights_sha256 is None:
        text = "no --weights given: the weights are seeded numbers, not trained ones"
        click.echo(note_text(text), err=True)
    return graph


@contextmanager
def notes(*, debug: bool = False) -> Iterator[None]:
    """Print each warning once, as a note of one line; with `debug` those of libraries as Python.

    What NumPy says of overflows and the like is not printed: where it matters, netgen checks the
    numbers itself and raises an error.
    """
    printed: set[str] = set()
    with warnings.catch_warnings():
        otherwise = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            text = " ".join(str(message).split())
            if debug and not issubclass(category, NetgenNote):
                otherwise(message, category, filename, lineno, file, line)
            elif text not in printed and not issubclass(category, RuntimeWarning):
                printed.add(text)
                click.echo(note_text(text), err=True)

        warnings.showwarning = show
        warnings.simplefilter("always", NetgenNote)
        yield


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A status line while something takes long; silent unless a person watches."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("working") as status:
        yield lambda text: status.update(text)


def print_json(value: object) -> None:
    """Print one JSON document."""
    click.echo(json_text(value))


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal."""
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 1000  # nobody knows the width: no cell is folded
    console.print(table)
