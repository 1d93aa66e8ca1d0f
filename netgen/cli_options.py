"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def read_parameters(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Split every `name=value`."""
    parameters = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"'{text}' is not of the form name=value")
        parameters[name] = value
    return parameters


def read_numbers(_: click.Context, __: click.Parameter, given: str | None) -> tuple[float, ...] | None:
    """Numbers separated by commas."""
    if given is None:
        return None
    try:
        return tuple(float(part) for part in given.split(","))
    except ValueError:
        raise click.BadParameter(f"'{given}' is no list of numbers") from None


def model_options(command: Command) -> Command:
    """The parameters and the weights of a model."""
    parameters = click.option(
        "-p",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        callback=read_parameters,
        help="Parameter of the model, for example alpha=0.35.",
    )
    weights = click.option("--weights", type=click.Path(path_type=Path), help="Weight file.")
    return parameters(weights(command))


def model_arguments(command: Command) -> Command:
    """MODEL, its parameters and its weights."""
    return click.argument("model")(model_options(command))


target_option = click.option(
    "--target", default="native", show_default=True, help="Processor class, or native."
)
as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON and nothing else."
)
