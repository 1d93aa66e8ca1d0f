"""Faults for `.tflite` files: tables that say something else, and bytes that are others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import tflite

from netgen.frontends.tflite.schema import OPTIONS
from tests.frontends.tflite.real_files import copied
from tests.frontends.tflite.tflite_models import Model, Table

Draw = np.random.Generator
Each = TypeVar("Each")
ODD = (-(2**31), -(2**16), -2, -1, 0, 1, 2, 3, 7, 31, 32, 127, 255, 2**16, 2**31 - 1)
FLOATS = (float("nan"), float("inf"), -float("inf"), -1.0, 0.0, -0.0, 1e-45, 1e38, 0.5, 1.0)


def pick(draw: Draw, values: Sequence[Each]) -> Each:
    return values[int(draw.integers(len(values)))]


def tables(value: object) -> Iterator[Table]:
    """All tables of a file, from the outside in."""
    if isinstance(value, Table):
        yield value
        for each in value.fields.values():
            yield from tables(each)
    elif isinstance(value, list):
        for each in value:
            yield from tables(each)


def some_table(draw: Draw, root: Table) -> Table:
    """Any table, of each kind as often as of others."""
    found = list(tables(root))
    kind = pick(draw, sorted({table.name for table in found}))
    table: Table = pick(draw, [table for table in found if table.name == kind])
    return table


def _fields(table: Table, kind: type | tuple[type, ...]) -> list[str]:
    return [name for name, value in table.fields.items() if isinstance(value, kind)]


def change_number(draw: Draw, root: Table) -> None:
    """A number of a table."""
    table = some_table(draw, root)
    if fields := _fields(table, (int, float)):
        name = pick(draw, fields)
        odd = FLOATS if isinstance(table.fields[name], float) else ODD
        table.fields[name] = pick(draw, odd)


def change_element(draw: Draw, root: Table) -> None:
    """A number of a vector: a shape, an index, a scale, a weight."""
    table = some_table(draw, root)
    if fields := _fields(table, np.ndarray):
        array = table.fields[pick(draw, fields)]
        if array.size:
            odd = FLOATS if array.dtype.kind == "f" else ODD
            with np.errstate(all="ignore"):
                array[int(draw.integers(array.size))] = np.array(pick(draw, odd)).astype(
                    array.dtype
                )


def change_length(draw: Draw, root: Table) -> None:
    """A vector that is shorter or longer."""
    table = some_table(draw, root)
    if fields := _fields(table, (np.ndarray, list)):
        name = pick(draw, fields)
        found = table.fields[name]
        count = int(draw.integers(len(found) + 1))
        if isinstance(found, list):
            table.fields[name] = pick(draw, (found[:count], found + found[count:], found[::-1]))
        else:
            longer = np.concatenate([found, np.ones(pick(draw, (1, 3, 40)), found.dtype)])
            table.fields[name] = pick(draw, (found[:count], longer))


def drop_field(draw: Draw, root: Table) -> None:
    """A field that is left out."""
    table = some_table(draw, root)
    if table.fields:
        del table.fields[pick(draw, sorted(table.fields))]


def change_text(draw: Draw, root: Table) -> None:
    """A name."""
    table = some_table(draw, root)
    if fields := _fields(table, str):
        table.fields[pick(draw, fields)] = pick(draw, ("", "x", "y", "\n;", "/", "\x00é" * 300))


def change_operator(draw: Draw, root: Table) -> None:
    """The operator that a code stands for, or its options."""
    table = some_table(draw, root)
    if table.name == "OperatorCode":
        code = getattr(tflite.BuiltinOperator, pick(draw, sorted(OPTIONS)))
        table.fields["BuiltinCode"] = pick(draw, (code, code, code, 32, 200, 127, -1))
    elif table.name == "Operator":
        name = pick(draw, sorted({table for table, _ in OPTIONS.values()}))
        table.fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, name)
        if draw.integers(2):
            table.fields["BuiltinOptions"] = Table(name)


def change_index(draw: Draw, root: Table) -> None:
    """A tensor that an operator or the network reads or makes."""
    able = [each for each in tables(root) if each.name in {"Operator", "SubGraph"}]
    table = pick(draw, able or [root])
    name = pick(draw, ("Inputs", "Outputs"))
    found = table.fields.get(name)
    count = len(root.fields.get("Subgraphs") or [])
    if found is not None and found.size and count:
        tensors = root.fields["Subgraphs"][0].fields.get("Tensors") or []
        found[int(draw.integers(found.size))] = int(draw.integers(-1, len(tensors) + 1))


def change_kind(draw: Draw, root: Table) -> None:
    """The element type of a tensor, and what its codes stand for."""
    for table in tables(root):
        if table.name == "Tensor" and not draw.integers(3):
            table.fields["Type"] = int(draw.integers(-1, 20))
            scales = np.full(pick(draw, (1, 2, 6)), pick(draw, FLOATS), np.float32)
            zeros = np.full(pick(draw, (0, 1, 2, 6)), pick(draw, ODD), np.int64)
            numbers = {"Scale": scales, "ZeroPoint": zeros, "QuantizedDimension": pick(draw, ODD)}
            table.fields["Quantization"] = Table("QuantizationParameters", numbers)


def add_sparsity(draw: Draw, root: Table) -> None:
    table = some_table(draw, root)
    if table.name == "Tensor":
        table.fields["Sparsity"] = Table("SparsityParameters")


MUTATIONS: tuple[Callable[[Draw, Table], None], ...] = (
    change_number, change_number, change_element, change_element, change_length, drop_field,
    change_text, change_operator, change_index, change_index, change_kind, add_sparsity,
)  # fmt: skip


def spoiled(draw: Draw, content: bytes) -> bytes:
    """Other bytes in some places: mostly offsets and lengths, or a file that is cut off."""
    found = bytearray(content)
    if not draw.integers(8):
        return bytes(found[: int(draw.integers(len(found)))])
    for _ in range(pick(draw, (1, 1, 2, 8))):
        at = int(draw.integers(len(found) - 4))
        if draw.integers(2):
            found[at] = int(draw.integers(256))
        else:
            at -= at % 4
            word = pick(draw, (*ODD, at, -at, len(found), -len(found), 2**28))
            found[at : at + 4] = (word % 2**32).to_bytes(4, "little")
    return bytes(found)


def changed(draw: Draw, build: Callable[[], Table]) -> bytes:
    """A file with one to three faults in what its tables say; each draw has tables of its own."""
    while True:
        root = build()
        for _ in range(pick(draw, (1, 1, 2, 3))):
            pick(draw, MUTATIONS)(draw, root)
        try:
            return root.encode()
        except TypeError:  # a number that its field has no room for: another draw
            continue


def mutant(draw: Draw, build: Callable[[], Model]) -> bytes:
    """A small file with one to three faults, in what it says or in its bytes."""
    if not draw.integers(3):
        return spoiled(draw, build().content())
    return changed(draw, build().root)


def real_mutant(draw: Draw, content: bytes, root: Table) -> bytes:
    """A real file with one to three faults, in its tables or in the bytes of its tables."""
    if draw.integers(2):
        return changed(draw, lambda: copied(root))
    # Tables stand before or behind the weights, of which few values are faults.
    tables = min(len(content) // 2, 30_000)
    place = pick(draw, (0, len(content) - tables))
    end = place + tables
    return content[:place] + spoiled(draw, content[place:end]) + content[end:]
