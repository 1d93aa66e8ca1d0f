"""Operators by name: filled by the import list of `netgen/ops/__init__.py`, never by scanning."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin, get_type_hints

from netgen.errors import GraphError
from netgen.ir.operator import AttributeValue, Const, Input, Operator

_SHOWN: dict[Any, str] = {int: "an integer", float: "a hexadecimal float", str: "a name"}


def _fits(value: AttributeValue, kind: object) -> bool:
    """Whether a value has a field's type; one integer may stand for a tuple of known length."""
    if get_origin(kind) is tuple:
        one_for_all = isinstance(value, int) and ... not in get_args(kind)
        return isinstance(value, tuple) or one_for_all
    return type(value) is kind


class Registry:
    """Operators by name."""

    def __init__(self) -> None:
        self._operators: dict[str, type[Operator]] = {}

    def add(self, *operators: type[Operator]) -> None:
        """Register operators; a name may be taken only once."""
        for operator in operators:
            if operator.operator_name in self._operators:
                raise GraphError(f"two operators are named '{operator.operator_name}'")
            self._operators[operator.operator_name] = operator

    def make(self, name: str, attributes: Mapping[str, AttributeValue]) -> Operator:
        """Build an operator from its text form.

        Raises GraphError for names that are unknown and attributes that are ill-typed.
        """
        if name not in self._operators:
            raise GraphError(
                f"unknown operator '{name}'",
                expected="one of " + ", ".join(sorted(self._operators)),
            )
        operator = self._operators[name]
        known = [field.name for field in dataclasses.fields(operator)]
        types = get_type_hints(operator)
        for attribute, value in attributes.items():
            if attribute not in known:
                raise GraphError(
                    f"{name} has no attribute '{attribute}'",
                    expected="one of " + ", ".join(known) if known else "no attributes",
                )
            if not _fits(value, types[attribute]):
                raise GraphError(
                    f"the attribute '{attribute}' of {name} is ill-typed",
                    expected=_SHOWN.get(types[attribute], "a tuple of integers"),
                    found=repr(value),
                )
        return operator(**attributes)

    def __iter__(self) -> Iterator[type[Operator]]:
        return iter(self._operators.values())


REGISTRY = Registry()
REGISTRY.add(Input, Const)
