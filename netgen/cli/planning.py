"""The options of a plan on the command line: what PlanOptions has, in the same order."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from netgen.cli import values as cli_values
from netgen.cli.modes import REGIONS, refuses
from netgen.plan.data.option_kinds import (
    Count,
    Numbers,
    OneOf,
    OptionKind,
    RamBytes,
    Switch,
    TuningFile,
)
from netgen.plan.data.options import PLAN_OPTIONS, PlanOption, PlanOptions

Command = TypeVar("Command", bound=Callable[..., Any])


def planning_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all options of a plan to a command, which gets them as `planning`.

    Those that the command has parameters for itself are left to it.
    """
    own = inspect.signature(command).parameters
    names = [name for name in PLAN_OPTIONS if name not in own]

    @refuses(REGIONS)
    @wraps(command)
    def with_planning(*arguments: object, **options: object) -> object:
        given: dict[str, Any] = {name: options.pop(name) for name in names}
        return command(*arguments, planning=PlanOptions(**given), **options)

    added: Callable[..., Any] = with_planning
    for name in reversed(names):
        added = planning_option(name)(added)
    return added


def planning_option(name: str, text: str | None = None) -> Callable[[Command], Command]:
    """One option of a plan, which the command gets by its own name; `text` is another help."""
    option = PLAN_OPTIONS[name]
    return click.option(
        _declaration(option),
        name,
        default=option.default,
        show_default=option.default not in {None, False},
        help=text or option.help,
        **_form(option.kind),
    )


def _declaration(option: PlanOption) -> str:
    """The option as click declares it; a switch that is on needs a way to turn it off."""
    return f"--{option.flag}/--no-{option.flag}" if option.default is True else f"--{option.flag}"


def _form(kind: OptionKind) -> dict[str, Any]:
    """The arguments of `click.option` for a kind of option."""
    match kind:
        case Switch():
            return {"is_flag": True}
        case OneOf():
            return {"type": click.Choice(kind.choices)}
        case Count():
            return {"type": click.IntRange(1, kind.most)}
        case Numbers():
            return {"callback": cli_values.read_numbers}
        case RamBytes():
            return {"callback": cli_values.read_ram, "metavar": "BYTES"}
        case TuningFile():
            return {
                "type": click.Path(path_type=Path),
                "callback": cli_values.read_tuning_file,
            }
        case _:
            raise AssertionError(kind)
