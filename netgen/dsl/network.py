"""`@network`: a function over symbolic tensors, with parameters, that can be built into a graph."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, overload

from netgen.dsl.author import described, failing_line
from netgen.dsl.tensor import Tensor, constructing, finish
from netgen.errors import GraphError, NetgenError, UsageError
from netgen.ir.graph import Graph, SourceLine
from netgen.ir.normalisation import Normalisation

ParameterValue = int | float | str | bool
Builder = Callable[..., "Tensor | tuple[Tensor, ...]"]
ForeignLayout = Literal["OHWI", "OIHW", "TFLite"]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a network: a multiplier of its paper, with its default."""

    name: str
    kind: type
    choices: tuple[str, ...]
    default: ParameterValue

    def convert(self, value: object) -> ParameterValue:
        """Give the value in the parameter's type; text is converted. Raises UsageError."""
        try:
            converted = _CONVERSIONS[self.kind](value)
        except (TypeError, ValueError, OverflowError):
            raise UsageError(
                f"the parameter '{self.name}' is ill-typed",
                expected=self.kind.__name__,
                found=repr(value),
                hint=f"for example -p {self.name}={self.default}",
            ) from None
        if self.choices and converted not in self.choices:
            raise UsageError(
                f"the parameter '{self.name}' has no such choice",
                expected="one of " + ", ".join(self.choices),
                found=repr(value),
            )
        return converted


def _whole(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    return int(value)


def _real(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)


def _truth(value: object) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, bool):
        return value
    if str(value).lower() not in words:
        raise ValueError
    return words[str(value).lower()]


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


_CONVERSIONS: Mapping[type, Callable[[object], ParameterValue]] = {
    bool: _truth,
    int: _whole,
    float: _real,
    str: _word,
}


@dataclass(frozen=True)
class WeightTable:
    """The names and the layout that one family of weight files has for a network's parameters.

    `names(graph)` maps netgen's parameter names to the file's. `layout` is the file's layout of 4-D
    arrays; they are turned into OHWI. `parameters` are what such files imply about the network (for
    example that batch norm is folded already). `ignored` are the endings of names that carry no
    parameter. `normalisation` is what the weights expect of their input, or None for the network's
    default.
    """

    title: str
    layout: ForeignLayout
    names: Callable[[Graph], Mapping[str, str]]
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    normalisation: Normalisation | None = None


# What a network's weights expect of pixels: always the same, or as its parameters say.
Expectation = Normalisation | Callable[[Mapping[str, ParameterValue]], Normalisation] | None


@dataclass(frozen=True)
class Network:
    """A network that can be built: `network.build(alpha=0.5)` gives its graph, without data."""

    name: str
    summary: str
    builder: Builder
    parameters: tuple[Parameter, ...]
    tables: tuple[WeightTable, ...] = ()
    normalisation: Expectation = None

    def settle(self, given: Mapping[str, object]) -> dict[str, ParameterValue]:
        """All parameters with their values; raises UsageError for unknown or ill-typed ones."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                raise UsageError(
                    f"{self.name} has no parameter '{name}'",
                    expected="one of " + ", ".join(known) if known else "none",
                )
        return {
            name: parameter.convert(given.get(name, parameter.default))
            for name, parameter in known.items()
        }

    def expected_pixels(self, given: Mapping[str, object]) -> Normalisation | None:
        """The normalisation that the weights expect with these parameters."""
        if callable(self.normalisation):
            return self.normalisation(self.settle(given))
        return self.normalisation

    def build(self, **given: object) -> Graph:
        """Make the graph for these parameters, without data.

        Raises UsageError for parameters, and GraphError, with the author's line, for everything
        that goes wrong in the network's function.
        """
        settled = self.settle(given)
        where = str(_first_line(self.builder))
        with constructing() as construction:
            result = self._run(settled)
            outputs = result if isinstance(result, tuple) else (result,)
            if not outputs or not all(isinstance(output, Tensor) for output in outputs):
                raise GraphError(
                    f"the network {self.name} must return a tensor or a tuple of tensors",
                    where=where,
                    found=type(result).__name__,
                )
            try:
                return finish(construction, self.name, outputs)
            except GraphError as error:
                raise GraphError(str(error), where=where) from error

    def _run(self, settled: Mapping[str, ParameterValue]) -> Tensor | tuple[Tensor, ...]:
        try:
            return self.builder(**settled)
        except NetgenError:
            raise
        except Exception as error:
            # The function is the user's: whatever it raises is an error of the network.
            line = failing_line(error, inspect.getfile(self.builder))
            raise GraphError(
                f"the network {self.name} failed: {described(error)}", where=str(line)
            ) from error

    def __call__(self, **given: object) -> Graph:
        """Do the same as `build`."""
        return self.build(**given)


@overload
def network(builder: Builder) -> Network: ...


@overload
def network(
    *, tables: tuple[WeightTable, ...] = (), normalisation: Expectation = None
) -> Callable[[Builder], Network]: ...


def network(
    builder: Builder | None = None,
    *,
    tables: tuple[WeightTable, ...] = (),
    normalisation: Expectation = None,
) -> Network | Callable[[Builder], Network]:
    """Turn a function of keyword parameters with defaults into a Network.

    Parameters are int, float, bool, str or Literal of strings; without an annotation the default
    decides. `tables` says which foreign weight files fit, `normalisation` what the network's
    weights expect of a photo. Raises UsageError where a parameter is of no such kind.
    """

    def decorate(function: Builder) -> Network:
        summary = (inspect.getdoc(function) or "").partition("\n")[0]
        parameters = _parameters(function)
        return Network(function.__name__, summary, function, parameters, tables, normalisation)

    return decorate if builder is None else decorate(builder)


def _parameters(builder: Builder) -> tuple[Parameter, ...]:
    """Parameters of a function, from its signature."""
    hints = typing.get_type_hints(builder)
    parameters = []
    for name, given in inspect.signature(builder).parameters.items():
        hint: Any = hints.get(name, type(given.default))
        choices = typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
        kind = str if choices and all(isinstance(choice, str) for choice in choices) else hint
        if given.default is inspect.Parameter.empty or kind not in _CONVERSIONS:
            raise UsageError(
                f"the parameter '{name}' of {builder.__name__} cannot be set from outside",
                where=str(_first_line(builder)),
                expected="int, float, bool, str or Literal of strings, with a default",
            )
        parameters.append(Parameter(name, kind, choices, given.default))
    return tuple(parameters)


def _first_line(builder: Builder) -> SourceLine:
    """Find the line where a network's function begins."""
    code = inspect.unwrap(builder).__code__
    return SourceLine(Path(code.co_filename).name, code.co_firstlineno)
