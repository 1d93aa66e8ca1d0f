"""Small `.tflite` files, written table by table as the schema has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import tflite
from flatbuffers import Builder

from netgen.frontends.tflite.schema import OPTIONS

Array = npt.NDArray[Any]
Field: TypeAlias = "int | float | str | Array | list[Any] | Table"
ELEMENTS = {
    "float32": "FLOAT32", "float16": "FLOAT16", "int8": "INT8", "uint8": "UINT8", "int16": "INT16",
    "int32": "INT32", "int64": "INT64", "bool": "BOOL",
}  # fmt: skip
# Options that netgen does not need, but LiteRT.
_UNREAD = {
    "ARG_MAX": "ArgMaxOptions", "ARG_MIN": "ArgMinOptions", "SHAPE": "ShapeOptions",
    "SPLIT_V": "SplitVOptions",
}  # fmt: skip
SAME, VALID = 0, 1
NONE, RELU, RELU_N1_TO_1, RELU6, TANH = 0, 1, 2, 3, 4


@dataclass
class Table:
    """A table of the schema: numbers, texts, arrays of numbers, tables and lists of tables."""

    name: str
    fields: dict[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        """A file whose root this is."""
        builder = Builder(1024)
        builder.Finish(_encode(builder, self), b"TFL3")
        return bytes(builder.Output())


def _encode(builder: Builder, value: Field) -> int:
    """The place of a table, text or vector."""
    if isinstance(value, str):
        return int(builder.CreateString(value))
    if isinstance(value, np.ndarray):
        builder.Prep(16, value.nbytes)
        return int(builder.CreateNumpyVector(value))
    if isinstance(value, list):
        # A table that is listed several times is written once.
        written = {id(each): _encode(builder, each) for each in {id(e): e for e in value}.values()}
        places = [written[id(each)] for each in value]
        builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            builder.PrependUOffsetTRelative(place)
        return int(builder.EndVector())
    assert isinstance(value, Table)
    fields = {
        name: each if isinstance(each, int | float) else _encode(builder, each)
        for name, each in value.fields.items()
        if each is not None
    }
    getattr(tflite, f"{value.name}Start")(builder)
    for name, each in fields.items():
        getattr(tflite, f"{value.name}Add{name}")(builder, each)
    return int(getattr(tflite, f"{value.name}End")(builder))


class Model:
    """A file under construction; tensors have names, and shapes that LiteRT may find out itself."""

    def __init__(
        self, inputs: dict[str, tuple[int, ...]], outputs: tuple[str, ...] = ("y",)
    ) -> None:
        self.tensors: list[Table] = []
        self.buffers: list[Table] = [Table("Buffer")]
        self.operators: list[Table] = []
        self.codes: list[Table] = []
        self._places: dict[str, int] = {}
        self.outputs = outputs
        self.inputs = dict(inputs)
        # Subgraphs that share the buffers and codes of this one.
        self.others: list[Model] = []
        for name, shape in inputs.items():
            self.tensor(name, shape)

    def tensor(
        self, name: str, shape: tuple[int, ...] = (), kind: str = "float32", **more: Field
    ) -> Table:
        """Declare a tensor, or another shape and type for one; gives its table."""
        if name not in self._places:
            self._places[name] = len(self.tensors)
            self.tensors.append(Table("Tensor"))
        table = self.tensors[self._places[name]]
        table.fields.update(
            Name=name,
            Shape=np.array(shape, np.int32),
            Type=getattr(tflite.TensorType, ELEMENTS.get(kind, kind)),
            **more,
        )
        return table

    def codes_of(
        self, name: str, shape: tuple[int, ...], kind: str, scale: float, zero: int
    ) -> None:
        """Declare a tensor of codes."""
        numbers = {"Scale": np.array([scale], np.float32), "ZeroPoint": np.array([zero], np.int64)}
        self.tensor(name, shape, kind, Quantization=Table("QuantizationParameters", numbers))

    def constant(self, name: str, array: npt.ArrayLike, kind: str = "float32") -> str:
        """Declare a constant."""
        found = np.ascontiguousarray(array, kind)
        shape = np.shape(array)
        self.buffers.append(Table("Buffer", {"Data": found.reshape(-1).view(np.uint8)}))
        self.tensor(name, shape, kind, Buffer=len(self.buffers) - 1)
        return name

    def weights(self, name: str, *shape: int) -> str:
        """Declare a constant of drawn numbers, the same for the same name and shape."""
        draw = np.random.default_rng([len(name), *name.encode(), *shape])
        return self.constant(name, draw.standard_normal(shape) * 0.5)

    def integers(self, name: str, *numbers: int) -> str:
        """Declare a list of int32."""
        return self.constant(name, np.array(numbers, np.int32), "int32")

    def node(
        self,
        operator: str,
        inputs: list[str],
        outputs: list[str] | None = None,
        /,
        **options: Field,
    ) -> Model:
        """Add an operator; an input of "" is left out. Lists of options are int32."""
        outputs = ["y"] if outputs is None else outputs
        for name in outputs:
            if name not in self._places:
                self.tensor(name)
        code = getattr(tflite.BuiltinOperator, operator)
        numbers = {"BuiltinCode": code, "DeprecatedBuiltinCode": min(code, 127), "Version": 1}
        self.codes.append(Table("OperatorCode", numbers))
        table = Table(
            "Operator",
            {
                "OpcodeIndex": len(self.codes) - 1,
                "Inputs": self.places(inputs),
                "Outputs": self.places(outputs),
            },
        )
        listed = OPTIONS[operator][0] if operator in OPTIONS else _UNREAD.get(operator)
        if listed is not None:
            given = {
                key: np.array(value, np.int32) if isinstance(value, list) else value
                for key, value in options.items()
            }
            table.fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, listed)
            table.fields["BuiltinOptions"] = Table(listed, given)
        self.operators.append(table)
        return self

    def places(self, names: list[str] | tuple[str, ...]) -> Array:
        """Indices of tensors."""
        return np.array([self._places[name] if name else -1 for name in names], np.int32)

    def another(self) -> Model:
        """Another subgraph, which has no inputs and outputs."""
        found = Model({}, ())
        found.buffers, found.codes = self.buffers, self.codes
        self.others.append(found)
        return found

    def subgraph(self) -> Table:
        """This subgraph as a table."""
        graph = {
            "Tensors": self.tensors,
            "Inputs": self.places(tuple(self.inputs)),
            "Outputs": self.places(self.outputs),
            "Operators": self.operators,
            "Name": "main",
        }
        return Table("SubGraph", graph)

    def root(self) -> Table:
        """The whole file as tables."""
        return Table(
            "Model",
            {
                "Version": 3,
                "OperatorCodes": self.codes,
                "Subgraphs": [self.subgraph(), *(each.subgraph() for each in self.others)],
                "Description": "test",
                "Buffers": self.buffers,
            },
        )

    def content(self) -> bytes:
        """The file."""
        return self.root().encode()
