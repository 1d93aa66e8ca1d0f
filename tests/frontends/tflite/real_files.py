"""Real `.tflite` files as tables, so that mutations find the same kinds of fault in them."""

from __future__ import annotations

import functools
import re

import flatbuffers.table
import numpy as np
import tflite

from tests.frontends.tflite.tflite_models import Array, Field, Table


def read_table(content: bytes) -> Table:
    """The root of a file; only what the installed schema knows is in it."""
    root = _table(tflite.Model.GetRootAs(content, 0), "Model")
    assert root is not None
    assert root.fields["Subgraphs"]
    return root


def copied(table: Table) -> Table:
    """The same tables and vectors at other places: mutations change them in place."""
    return Table(table.name, {name: _copied(each) for name, each in table.fields.items()})


def _copied(value: Field) -> Field:
    if isinstance(value, Table):
        return copied(value)
    if isinstance(value, list):
        return [_copied(each) for each in value]
    return value.copy() if isinstance(value, np.ndarray) else value


@functools.cache
def _fields(name: str) -> tuple[str, ...]:
    prefix = f"{name}Add"
    return tuple(each.removeprefix(prefix) for each in dir(tflite) if each.startswith(prefix))


def _table(found: object, name: str) -> Table | None:
    if found is None:
        return None
    fields = {field: _field(found, field) for field in _fields(name)}
    return Table(name, {field: value for field, value in fields.items() if value is not None})


def _field(found: object, field: str) -> Field | None:
    """One field; None is one that is not there."""
    read = getattr(found, field)
    if hasattr(found, f"{field}Length"):
        return _vector(found, field)
    value = read()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, int | float) or value is None:
        return value
    if isinstance(value, flatbuffers.table.Table):
        return _union(found, field, value)
    return _table(value, type(value).__name__)


def _vector(found: object, field: str) -> Field | None:
    count = getattr(found, f"{field}Length")()
    if hasattr(found, f"{field}AsNumpy"):
        array: Array = getattr(found, f"{field}AsNumpy")()
        return array.copy() if count else None
    read = getattr(found, field)
    if count and isinstance(read(0), bytes):
        return None
    tables = [read(place) for place in range(count)]
    return [_table(each, type(each).__name__) for each in tables]


def _union(found: object, field: str, value: flatbuffers.table.Table) -> Table | None:
    """A table of the kind that the field beside it names."""
    kind = getattr(found, f"{field}Type")()
    names = [name for name, number in vars(getattr(tflite, field)).items() if number == kind]
    (name,) = [name for name in names if re.fullmatch("[A-Z][A-Za-z0-9]*", name)]
    if not hasattr(tflite, name):
        return None
    options = getattr(tflite, name)()
    options.Init(value.Bytes, value.Pos)
    return _table(options, name)
