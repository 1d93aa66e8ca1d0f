"""The networks whose times are published together: one command measures all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netgen.errors import UsageError


@dataclass(frozen=True)
class Case:
    """One row: a model and its parameters, as the command line writes them."""

    model: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The model with its parameters."""
        return " ".join([self.model, *(f"{name}={v}" for name, v in self.parameters.items())])


SUITES: Mapping[str, tuple[Case, ...]] = {
    "fp32": (
        Case("mobilenet_v1"),
        Case("mobilenet_v1", {"alpha": "0.25", "input_size": "96"}),
        Case("mobilenet_v2"),
        Case("mobilenet_v2", {"alpha": "0.35", "input_size": "96"}),
        Case("shufflenet_v1", {"groups": "3"}),
        Case("shufflenet_v2"),
        Case("resnet18"),
        Case("resnet50"),
    ),
}


def find_suite(name: str) -> tuple[Case, ...]:
    """The rows of a table by name. Raises UsageError for an unknown one."""
    if name not in SUITES:
        raise UsageError(f"unknown table '{name}'", expected=f"one of {', '.join(SUITES)}")
    return SUITES[name]
