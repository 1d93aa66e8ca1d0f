"""Operators by name: filled by the import list of `netgen/ops/__init__.py`, never by scanning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netgen.errors import GraphError
from netgen.ir.attributes import AttributeValue, attribute_types, ill_typed
from netgen.ir.operator import Const, Input, Operator, State


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

    def find(self, name: str) -> type[Operator]:
        """The operator of this name; raises GraphError where there is none."""
        if name not in self._operators:
            raise GraphError(
                f"unknown operator '{name}'",
                expected="one of " + ", ".join(sorted(self._operators)),
            )
        return self._operators[name]

    def make(self, name: str, attributes: Mapping[str, AttributeValue]) -> Operator:
        """Build an operator from its text form.

        Raises GraphError for names that are unknown and attributes that are ill-typed.
        """
        operator = self.find(name)
        types = attribute_types(operator)
        for attribute, value in attributes.items():
            if attribute not in types:
                raise GraphError(
                    f"{name} has no attribute '{attribute}'",
                    expected="one of " + ", ".join(types) if types else "no attributes",
                )
            # Texts write every float as one; the operator itself would also take an integer.
            if types[attribute] is float and not isinstance(value, float):
                raise ill_typed(name, attribute, float, value, number="a hexadecimal float")
        return operator(**attributes)

    def __iter__(self) -> Iterator[type[Operator]]:
        return iter(self._operators.values())


REGISTRY = Registry()
REGISTRY.add(Input, State, Const)
