"""Options that mean nothing beside others: they are refused, not ignored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from netgen.errors import UsageError
from netgen.plan.data.options import PLAN_OPTIONS

COMPILED = ".netgen"
LIBRARY = ".so"

# Parameters of commands, by the names that their functions have for them.
_LOADING = frozenset({"parameters", "weights", "by_position", "outputs", "input_shape"})
_PLANNING = frozenset(PLAN_OPTIONS)


@dataclass(frozen=True)
class Mode:
    """One way to use a command: it is on where `holds`, and has no use for the `idle` options.

    `shown` is what the user wrote to get there, with values in braces.
    """

    shown: str
    holds: Callable[[Mapping[str, Any]], bool]
    idle: frozenset[str]


def is_compiled(file: str | Path) -> bool:
    """Whether a MODEL or an output is a compiled model, by its name."""
    return Path(file).suffix == COMPILED


def is_library(file: str | Path) -> bool:
    """Whether an output is a shared library, by its name."""
    return Path(file).suffix == LIBRARY


def is_built(file: str | Path) -> bool:
    """Whether a C compiler makes an output."""
    return is_compiled(file) or is_library(file)


def _given(name: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an option has a value, or a flag is set."""
    return lambda values: values[name] is not None and values[name] is not False


def _given_models(values: Mapping[str, Any]) -> bool:
    """Whether there are models; with none it is another error."""
    return bool(values["models"])


SHOW = (Mode("--stage {stage}", lambda values: values["stage"] != "plan", _PLANNING | {"target"}),)
# What is written beside C, or says how it is written.
_OF_C = frozenset({"weights_as", "depfile", "measure", "max_arena", "max_flash"})
COMPILE = (
    Mode(
        "-o {output.name}",
        lambda values: is_compiled(values["output"]),
        _OF_C | {"prefix", "selftest", "labels"},
    ),
    Mode("-o {output.name}", lambda values: is_library(values["output"]), _OF_C),
)
_FILES = ("onnx", "tflite")
_OF_WHEELS = frozenset({"labels", "package_version"})
EXPORT = (
    Mode(
        "--as {form}",
        lambda values: values["form"] in _FILES,
        _PLANNING | _OF_WHEELS | {"target", "name", "board"},
    ),
    Mode(
        "--as {form}",
        lambda values: values["form"] == "wheel",
        frozenset({"threads", "input", "board"}),
    ),
    Mode(
        "--as {form}",
        lambda values: values["form"] not in {*_FILES, "wheel"},
        frozenset({"threads"}) | _OF_WHEELS,
    ),
)
RUN = (
    Mode(
        "a compiled model",
        lambda values: is_compiled(values["model"]),
        # What pixels are normalised by is no matter of plans where floats are given.
        _LOADING | _PLANNING - {"mean", "std"} | {"target"},
    ),
    Mode("--no-crop", _given("no_crop"), frozenset({"resize"})),
)
HELP = (Mode("--html", _given("page"), frozenset({"topic"})),)
VERIFY = (Mode("--json", _given("as_json"), frozenset({"layers"})),)
PLAN = (
    Mode(
        "--check",
        _given("checked"),
        _LOADING | _PLANNING | {"target", "curve", "capacity"},
    ),
    Mode("--csv", _given("buffers"), _LOADING | _PLANNING - {"accept_gap"} | {"target", "curve"}),
    Mode("--capacity", _given("capacity"), frozenset({"accept_gap"})),
    Mode("a MODEL", _given("model"), frozenset({"capacity"})),
    Mode(
        "--pareto",
        _given("curve"),
        _PLANNING - {"input", "winograd", "weights_dtype", "input_type", "mean", "std"},
    ),
)
TUNE = (Mode("tune", lambda _: True, frozenset({"tuning", "threads"})),)
# What changes the plan's memory is of interest on a board, where memory is short.
_ON_BOARDS = frozenset({"ram", "input"})


def _here(name: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an option has a value, in a bench on this machine."""
    return lambda values: values["board"] is None and _given(name)(values)


BENCH = (
    Mode(
        "--board {board}",
        _given("board"),
        frozenset({"vs", "rounds", "threads", "chart", "form", "table", "folder", "profiled"}),
    ),
    Mode(
        "--profile",
        _given("profiled"),
        frozenset({"vs", "threads", "chart", "form", "table", "folder"}) | _ON_BOARDS,
    ),
    Mode("a MODEL", _given_models, frozenset({"folder"})),
    Mode("--table", _given("table"), _LOADING | _ON_BOARDS),
    Mode("--json", _here("as_json"), frozenset({"form"}) | _ON_BOARDS),
    Mode("a run on this machine", lambda values: values["board"] is None, _ON_BOARDS),
)
# Wherever a plan is made.
REGIONS = (
    Mode(
        "--ram fast=...,slow=...",
        lambda values: isinstance(values["ram"], tuple),
        frozenset({"accept_gap"}),
    ),
)


def refuses(modes: Iterable[Mode]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Have a command raise UsageError for options that are idle in the mode that it is used in."""

    def refusing(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def checked(*arguments: object, **options: object) -> object:
            context = click.get_current_context()
            for mode in modes:
                if mode.holds(context.params):
                    _refuse(mode, context)
            return command(*arguments, **options)

        return checked

    return refusing


def _refuse(mode: Mode, context: click.Context) -> None:
    idle = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in mode.idle
        and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if idle:
        together = ", ".join(idle)
        raise UsageError(
            f"{mode.shown.format(**context.params)} does not go together with {together}",
            hint=f"leave out {together}",
        )
