"""Tables of operators and models in Markdown, as `netgen help models` has them."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Sequence

import netgen.ops as operators
from netgen.ir.operator import Operator
from netgen.ir.registry import REGISTRY
from netgen.models import NETWORKS
from netgen.report.tables import network_facts


def operator_rows() -> str:
    """Name, operands, attributes and meaning of every operator that a network may use."""
    rows = [
        (
            f"`{operator.operator_name}`",
            _operands(operator),
            ", ".join(field.name for field in dataclasses.fields(operator)) or "-",
            _summary(operator),
        )
        for operator in sorted(REGISTRY, key=lambda operator: operator.operator_name)
        if operator.operator_name in operators.__all__
    ]
    return _markdown(("operator", "operands", "attributes", "meaning"), rows)


def model_rows() -> str:
    """Name, parameters with their defaults, MACs and weights of every architecture."""
    rows = []
    for facts in network_facts(NETWORKS.values()):
        given = facts["parameters"]
        assert isinstance(given, dict)
        parameters = ", ".join(f"{name}={value}" for name, value in given.items())
        counts = (f"{facts['macs']:,}", f"{facts['weights']:,}")
        rows.append((f"`{facts['name']}`", parameters, *counts))
    return _markdown(("model", "parameters and defaults", "MACs", "weights"), rows)


def _operands(operator: type[Operator]) -> str:
    names = list(operator.operand_names)
    least = len(names) - operator.optional_operands
    return ", ".join(name if at < least else f"[{name}]" for at, name in enumerate(names))


def _summary(operator: type[Operator]) -> str:
    return (inspect.getdoc(operator) or "").partition("\n")[0].rstrip(".")


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
