"""The bytes of a `.tflite` file -> its parts. None of the file is trusted.

Offsets may point anywhere, lengths be any number, and many places point to the same one: so each
length is compared with the file's, and what is read in all is bounded by it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.frontends.onnx_budget import Budget
from netgen.frontends.onnx_builder import netgen_name
from netgen.frontends.onnx_call import check_rank
from netgen.frontends.tflite.parts import (
    FileGraph,
    FileOperator,
    FileTensor,
    ModelFile,
    Option,
    Scales,
)
from netgen.frontends.tflite.schema import CUSTOM_OPTIONS, OPTIONS
from netgen.frontends.tflite.sparse import Level, Sparsity

# A class of the schema: flatbuffers' compiler writes them, without types.
Table: TypeAlias = Any

_IDENTIFIER = b"TFL3"
_VERSION = 3
# What flatbuffers raises for places outside the file: it subtracts, unpacks, slices and counts.
_DAMAGE = (struct.error, ValueError, TypeError, IndexError, OverflowError)
_LONGEST_NAME = 200


def read_model(schema: ModuleType, content: bytes, where: str) -> ModelFile:
    """Read the main subgraph, and those that it runs once.

    Raises GraphError for what is no `.tflite` file, for a damaged one, and for indices that point
    to nothing.
    """
    if content[4:8] != _IDENTIFIER:
        raise GraphError("no TensorFlow Lite file: it does not say TFL3", where=where)
    try:
        return _Reader(schema, content).model()
    except GraphError as error:
        raise GraphError(f"a damaged TensorFlow Lite file: {error}", where=where) from error
    except _DAMAGE as error:
        raise GraphError("a damaged TensorFlow Lite file", where=where) from error


class _Reader:
    """Walks the tables of one file."""

    def __init__(self, schema: ModuleType, content: bytes) -> None:
        self._schema = schema
        self._size = len(content)
        # Each byte once, or twice where writers share what is equal; weights are not read here.
        self._budget = Budget(len(content), free=0, times=2)
        self._model = schema.Model.GetRootAs(content, 0)
        self._names: dict[str, int] = {}
        self._elements = _names_of(schema.TensorType)
        self._operators = _names_of(schema.BuiltinOperator)
        self._vectors = {
            number: name
            for number, name in _names_of(schema.SparseIndexVector).items()
            if name != "NONE"
        }

    def model(self) -> ModelFile:
        """The main subgraph, which is the first, and those that its operators run once."""
        if self._model.Version() != _VERSION:
            raise GraphError(
                "another version of the schema",
                expected=str(_VERSION),
                found=str(self._model.Version()),
            )
        if not self._count(self._model, "Subgraphs"):
            raise GraphError("no subgraph")
        buffers = [self._buffer(self._model.Buffers(k)) for k in self._each(self._model, "Buffers")]
        codes = [
            self._code(self._model.OperatorCodes(k))
            for k in self._each(self._model, "OperatorCodes")
        ]
        main = self._graph(0, buffers, codes)
        if not main.outputs:
            raise GraphError("no output")
        named = {
            operator.options["InitSubgraphIndex"]
            for operator in main.operators
            if operator.name == "CALL_ONCE" and operator.options is not None
        }
        once = {
            number: self._graph(number, buffers, codes)
            for number in range(1, self._model.SubgraphsLength())
            if number in named
        }
        return ModelFile(main.tensors, main.operators, main.inputs, main.outputs, once)

    def _graph(
        self, number: int, buffers: list[npt.NDArray[np.uint8] | None], codes: list[str]
    ) -> FileGraph:
        """A subgraph that is there."""
        graph = self._model.Subgraphs(number)
        tensors = self._named(
            [self._tensor(graph.Tensors(k), buffers) for k in self._each(graph, "Tensors")]
        )
        count = len(tensors)
        operators = tuple(
            self._operator(k, graph.Operators(k), codes, count)
            for k in self._each(graph, "Operators")
        )
        inputs, outputs = (self._indices(graph, name, count, 0) for name in ("Inputs", "Outputs"))
        return FileGraph(tensors, operators, inputs, outputs)

    def _count(self, table: Table, field: str) -> int:
        """The length of a vector, which can be no more than the file's."""
        count = int(getattr(table, f"{field}Length")())
        if not 0 <= count <= self._size:
            raise GraphError(
                f"{field} are more than fit", expected=f"{self._size}", found=str(count)
            )
        self._budget.take(count)
        return count

    def _each(self, table: Table, field: str) -> Iterator[int]:
        return iter(range(self._count(table, field)))

    def _numbers(self, table: Table, field: str) -> tuple[Any, ...]:
        """A vector of numbers; empty where it is left out."""
        if not self._count(table, field):
            return ()
        return tuple(getattr(table, f"{field}AsNumpy")().tolist())

    def _indices(self, table: Table, field: str, count: int, least: int) -> tuple[int, ...]:
        found = self._numbers(table, field)
        if any(not least <= index < count for index in found):
            raise GraphError(
                f"{field} name a tensor that is not there",
                expected=f"{least} to {count - 1}",
                found=str(next(index for index in found if not least <= index < count)),
            )
        return found

    def _buffer(self, buffer: Table) -> npt.NDArray[np.uint8] | None:
        """The bytes, which are not copied; None where there are none."""
        if buffer.Offset() > 1 or buffer.Size() > 1:
            raise GraphError("weights that stand behind the FlatBuffer are not supported")
        # Not `_count`: many buffers may share their bytes, which nobody reads here.
        return buffer.DataAsNumpy() if buffer.DataLength() else None

    def _text(self, text: bytes | None) -> str:
        """The beginning of a text; where a converter joined names by semicolons, the first."""
        found = text or b""
        self._budget.take(len(found))
        return found.partition(b";")[0][:_LONGEST_NAME].decode("utf-8", "replace")

    def _tensor(self, tensor: Table, buffers: list[npt.NDArray[np.uint8] | None]) -> FileTensor:
        for field in ("Shape", "ShapeSignature"):
            check_rank(self._count(tensor, field))
        shape, signature = (self._numbers(tensor, field) for field in ("Shape", "ShapeSignature"))
        name = self._text(tensor.Name())
        at = tensor.Buffer()
        if not 0 <= at < max(len(buffers), 1):
            raise GraphError("a tensor names a buffer that is not there", found=str(at))
        return FileTensor(
            name=netgen_name(name) if name.strip("/") else "tensor",
            shown=re.sub(r"[^\x20-\x7e]", "?", name) or "a tensor without a name",
            element=self._elements.get(tensor.Type(), f"element type {tensor.Type()}"),
            shape=shape,
            open_axes=tuple(axis for axis, extent in enumerate(signature) if extent < 0),
            data=buffers[at] if buffers else None,
            scales=self._scales(tensor.Quantization()),
            sparsity=self._sparsity(tensor.Sparsity()),
        )

    def _named(self, tensors: list[FileTensor]) -> tuple[FileTensor, ...]:
        """Unique names: a layer's result has its name before the constants named after it."""
        order = sorted(range(len(tensors)), key=lambda k: tensors[k].is_constant)
        names = {k: self._unique(tensors[k].name) for k in order}
        return tuple(replace(tensor, name=names[k]) for k, tensor in enumerate(tensors))

    def _unique(self, name: str) -> str:
        """The name, with a number behind it where another tensor has it already."""
        candidate = name
        while candidate in self._names:
            self._names[name] += 1
            candidate = f"{name}_{self._names[name]}"
        self._names[candidate] = 1
        return candidate

    def _scales(self, given: Table) -> Scales | None:
        scales = () if given is None else self._numbers(given, "Scale")
        if not scales:
            return None
        return Scales(scales, self._numbers(given, "ZeroPoint"), given.QuantizedDimension())

    def _sparsity(self, given: Table) -> Sparsity | None:
        if given is None:
            return None
        return Sparsity(
            self._numbers(given, "TraversalOrder"),
            self._numbers(given, "BlockMap"),
            tuple(self._level(given.DimMetadata(k)) for k in self._each(given, "DimMetadata")),
        )

    def _level(self, given: Table) -> Level:
        listed = given.Format() == self._schema.DimensionType.SPARSE_CSR
        lists = [
            self._list(getattr(given, field)(), getattr(given, f"{field}Type")())
            for field in ("ArraySegments", "ArrayIndices")
        ]
        return Level(given.DenseSize(), lists[0], lists[1], listed)

    def _list(self, union: Table, kind: int) -> tuple[int, ...]:
        """The numbers of a vector of some integers; none where it is left out."""
        if union is None or kind not in self._vectors:
            return ()
        vector = getattr(self._schema, self._vectors[kind])()
        vector.Init(union.Bytes, union.Pos)
        return self._numbers(vector, "Values")

    def _code(self, code: Table) -> str:
        # Old writers know the first field only, which has no room for newer operators.
        number = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
        name = self._operators.get(number, f"operator code {number}")
        if name != "CUSTOM":
            return name
        return "CUSTOM " + re.sub(r"[^\x21-\x7e]", "?", self._text(code.CustomCode()))

    def _operator(self, index: int, operator: Table, codes: list[str], count: int) -> FileOperator:
        at = operator.OpcodeIndex()
        if at >= len(codes):
            raise GraphError(f"operator {index} has no code", found=str(at))
        return FileOperator(
            index=index,
            name=codes[at],
            inputs=self._indices(operator, "Inputs", count, -1),
            outputs=self._indices(operator, "Outputs", count, 0),
            options=self._options(operator, codes[at]),
        )

    def _options(self, operator: Table, name: str) -> dict[str, Option] | None:
        if name in CUSTOM_OPTIONS:
            return self._custom_options(operator, CUSTOM_OPTIONS[name])
        table, fields = OPTIONS.get(name, ("NONE", ()))
        given = operator.BuiltinOptionsType()
        union = operator.BuiltinOptions() if fields else None
        if union is None or given != getattr(self._schema.BuiltinOptions, table):
            return None
        options = getattr(self._schema, table)()
        options.Init(union.Bytes, union.Pos)
        return {field: self._option(options, field) for field in fields}

    def _custom_options(self, operator: Table, fields: tuple[str, ...]) -> dict[str, Option] | None:
        """The numbers of a structure of C, under the names of the schema.

        Source: TensorFlow Lite, `builtin_op_data.h`: of TfLitePadding 1 is SAME, which is 0 here.
        """
        if self._count(operator, "CustomOptions") < 4 * len(fields):
            return None
        numbers = operator.CustomOptionsAsNumpy()[: 4 * len(fields)].view("<i4").tolist()
        found = dict(zip(fields, numbers, strict=True))
        return {**found, "Padding": found["Padding"] - 1, "FusedActivationFunction": 0}

    def _option(self, options: Table, field: str) -> Option:
        """A number, a list of numbers, or the bytes of a text."""
        if hasattr(options, f"{field}Length"):
            return self._numbers(options, field)
        found: Option | None = getattr(options, field)()
        if isinstance(found, bytes):
            self._budget.take(len(found))
        return b"" if found is None else found


def _names_of(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}
