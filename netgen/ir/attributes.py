"""Attributes of operators: their types, and how they stand in the text form."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

import numpy as np

from netgen.errors import GraphError

AttributeValue: TypeAlias = "int | float | str | tuple[int, ...]"

# `one for all`: one number for all axes or sides, which prints so if all are equal. `reference`:
# the name of an array, behind @, which in a type may stand for a number. `text`: a notation of its
# own, in quotes.
Notation: TypeAlias = Literal["plain", "one for all", "reference", "number or reference", "text"]
_NOTATION = "notation"
# Metadata of the fields of operators.
ONE_FOR_ALL: Mapping[str, Notation] = {_NOTATION: "one for all"}
REFERENCE: Mapping[str, Notation] = {_NOTATION: "reference"}
TEXT: Mapping[str, Notation] = {_NOTATION: "text"}

_INTEGERS = (int, np.integer)
_NUMBERS = (*_INTEGERS, float, np.floating)


@cache
def attribute_types(operator: type[Any]) -> Mapping[str, object]:
    """The types of an operator's attributes by name, in field order."""
    types = get_type_hints(operator)
    return {field.name: types[field.name] for field in dataclasses.fields(operator)}


@cache
def attribute_notations(operator: type[Any]) -> Mapping[str, Notation]:
    """The notations of an operator's attributes by name."""
    fields = dataclasses.fields(operator)
    return {field.name: field.metadata.get(_NOTATION, "plain") for field in fields}


def integer_of(value: object) -> int | None:
    """A whole number of Python or NumPy as Python's; None for all else, truth values included."""
    if isinstance(value, bool) or not isinstance(value, _INTEGERS):
        return None
    return int(value)


def integers_of(value: object) -> tuple[int, ...] | None:
    """A tuple, list or array of whole numbers as a tuple of Python's; None for all else."""
    if type(value) is tuple and all(type(item) is int for item in value):
        return value
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, tuple | list):
        return None
    found = [integer_of(item) for item in value]
    whole = tuple(number for number in found if number is not None)
    return whole if len(whole) == len(found) else None


def number_of(value: object) -> float | None:
    """A number of Python or NumPy as a float; None for all else, and beyond a double."""
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def attribute_of(value: object, kind: object) -> AttributeValue | None:
    """A value in the type of an attribute, None if it has none.

    Numbers of NumPy become Python's. An integer may stand for a float, and for a tuple of known
    length.
    """
    if kind is int:
        return integer_of(value)
    if kind is float:
        return number_of(value)
    if get_origin(kind) is tuple:
        one = None if ... in get_args(kind) else integer_of(value)
        return integers_of(value) if one is None else one
    return str(value) if isinstance(value, str) else None


def ill_typed(
    operator: str, attribute: str, kind: object, value: object, number: str = "a number"
) -> GraphError:
    """The error for an attribute's value that is not of its type; `number` describes floats."""
    described: Mapping[object, str] = {int: "an integer", float: number, str: "a name"}
    return GraphError(
        f"the attribute '{attribute}' of {operator} is ill-typed",
        expected=described.get(kind, "a tuple of integers"),
        found=repr(value),
    )
