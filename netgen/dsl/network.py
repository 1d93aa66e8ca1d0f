"""`@network`: a function over symbolic tensors, with parameters, that can be built into a graph."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from netgen.ir.normalisation import Normalisation
from netgen.dsl.tensor import Tensor, constructing, finish
from netgen.errors import GraphError, UsageError
from netgen.ir.graph import Graph

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
            if self.kind is bool:
                return _truth(value)
            if self.kind is int and isinstance(value, float) and not value.is_integer():
                raise ValueError
            if isinstance(value, bool):
                raise ValueError
            converted: ParameterValue = self.kind(value)
        except (TypeError, ValueError):
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


def _truth(value: object) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, bool):
        return value
    if str(value).lower() not in words:
        raise ValueError
    return words[str(value).lower()]


@dataclass(frozen=True)
class WeightTable:
    """How a family of weight files names and lays out a network's parameters.

    `names(graph)` maps netgen's parameter names to the file's. `layout` is that of its 4-D arrays
    and is turned into OHWI. `parameters` are what such files imply about the network (for example
    that batch norm is folded already), `ignored` the endings of names that carry no parameter, and
    `normalisation` what the weights expect of their input, where it is not the network's default.
    """

    title: str
    layout: ForeignLayout
    names: Callable[[Graph], Mapping[str, str]]
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    normalisation: Normalisation | None = None


@dataclass(frozen=True)
class Network:
    """A network that can be built: `network.build(alpha=0.5)` gives its graph, without data."""

    name: str
    summary: str
    builder: Builder
    parameters: tuple[Parameter, ...]
    tables: tuple[WeightTable, ...] = ()
    normalisation: Normalisation | None = None

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

    def build(self, **given: object) -> Graph:
        """The graph for these parameters. Raises UsageError, and GraphError with the author's line."""
        settled = self.settle(given)
        with constructing() as construction:
            result = self.builder(**settled)
            outputs = result if isinstance(result, tuple) else (result,)
            if not outputs or not all(isinstance(output, Tensor) for output in outputs):
                raise GraphError(
                    f"the network {self.name} must return a tensor or a tuple of tensors",
                    found=type(result).__name__,
                )
            return finish(construction, self.name, outputs)

    def __call__(self, **given: object) -> Graph:
        """Do the same as `build`."""
        return self.build(**given)


def network(
    builder: Builder | None = None,
    *,
    tables: tuple[WeightTable, ...] = (),
    normalisation: Normalisation | None = None,
) -> Any:  # noqa: ANN401  # a Network, or a decorator that gives one
    """Turn a function of keyword parameters with defaults into a Network.

    Parameters are int, float, bool, str or Literal of strings. `tables` says which foreign weight
    files fit, `normalisation` what the network's weights expect of a photo.
    """
    if builder is None:
        return lambda function: network(function, tables=tables, normalisation=normalisation)
    hints = typing.get_type_hints(builder)
    parameters = []
    for name, given in inspect.signature(builder).parameters.items():
        hint = hints.get(name, int)
        choices = typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
        kind = str if choices else hint
        if given.default is inspect.Parameter.empty or kind not in (int, float, bool, str):
            raise UsageError(
                f"the parameter '{name}' of {builder.__name__} cannot be set from outside",
                expected="int, float, bool, str or Literal of strings, with a default",
            )
        parameters.append(Parameter(name, kind, choices, given.default))
    summary = (inspect.getdoc(builder) or "").partition("\n")[0]
    return Network(builder.__name__, summary, builder, tuple(parameters), tables, normalisation)
