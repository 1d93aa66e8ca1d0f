"""Graph -> `.tflite` file, of floats and of codes.

The file is a FlatBuffer of TensorFlow Lite's schema, whose classes LiteRT brings along. Layouts are
TensorFlow's, which are netgen's but for the weights of depthwise convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ai_edge_litert.schema_py_generated as schema
import flatbuffers
import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.export.tflite_operators import MAPPINGS
from netgen.export.tflite_stages import Call, Codes, Numbers, Operand, Stage
from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Const, Input
from netgen.ir.tensor_type import Array, TensorType

_FILE_IDENTIFIER = b"TFL3"
_SCHEMA_VERSION = 3
_TENSOR_TYPES = {
    "float32": "FLOAT32",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "int8": "INT8",
    "uint8": "UINT8",
}


def graph_to_tflite(graph: Graph) -> bytes:
    """Write a graph, best after `fuse_for_others`, and its weights.

    Raises GraphError for an operator that has no mapping, for an element type that the file does
    not have and for constants without data.
    """
    return _Writer(graph).content()


def _aligned_vector(builder: flatbuffers.Builder, x: npt.NDArray[Any]) -> int:
    """Put weights at a multiple of 16 bytes, as the schema demands and its Python classes do not.

    `Prep` aligns what is written after so many further bytes.
    """
    builder.Prep(16, x.nbytes)
    offset: int = flatbuffers.Builder.CreateNumpyVector(builder, x)
    return offset


# flatbuffers' own classes call the builder's method by that name.
_AligningBuilder: Any = type(
    "_AligningBuilder", (flatbuffers.Builder,), {"CreateNumpyVector": _aligned_vector}
)


class _Writer:
    """Collects the parts of one file."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._tensors: list[Any] = []
        self._buffers: list[Any] = [schema.BufferT()]  # the first one stands for "no data"
        self._operators: list[Any] = []
        self._codes: dict[str, int] = {}
        self._places: dict[str, int] = {}

    def content(self) -> bytes:
        """Put the whole file together."""
        for node in self._graph.nodes:
            if isinstance(node.op, Input):
                self._places[node.name] = self._activation_tensor(node.name, node.type)
            elif not isinstance(node.op, Const):  # those follow when they are read
                self._activation(node)
        network = schema.SubGraphT()
        network.name = self._graph.name
        network.tensors = self._tensors
        network.operators = self._operators
        network.inputs = [self._places[node.name] for node in self._graph.inputs]
        network.outputs = [self._place(name) for name in dict.fromkeys(self._graph.outputs)]
        model = schema.ModelT()
        model.version = _SCHEMA_VERSION
        model.description = "netgen"
        model.subgraphs = [network]
        model.buffers = self._buffers
        model.operatorCodes = [_operator_code(name) for name in self._codes]
        builder = _AligningBuilder(1024)
        builder.Finish(model.Pack(builder), _FILE_IDENTIFIER)
        return bytes(builder.Output())

    def _activation(self, node: Node) -> None:
        if type(node.op) not in MAPPINGS:
            raise GraphError(
                f"the operator {node.op.operator_name} cannot be written to a .tflite file",
                where=f"%{node.name}",
                expected="one of " + ", ".join(sorted(k.operator_name for k in MAPPINGS)),
            )
        x, *rest = node.operands
        types = self._graph.operand_types(node)
        call = Call(tuple(rest), types, node.type, self._graph.constant, self._scales)
        place = self._place(x)
        stages = MAPPINGS[type(node.op)](node.op, call)
        for position, stage in enumerate(stages, start=1):
            name = f"{node.name}/{stage.operator}{position}"
            inputs = [place, *(self._operand(name, given) for given in stage.inputs)]
            # Before the last stage codes are only moved.
            kind = node.type if position == len(stages) else types[0]
            place = self._activation_tensor(name, kind.with_shape(stage.shape))
            self._operators.append(self._operator(stage, inputs, place))
        self._places[node.name] = place

    def _operand(self, name: str, given: Operand) -> int:
        if isinstance(given, str):
            return self._place(given)
        name = f"{name}.{len(self._tensors)}"
        if isinstance(given, Codes):
            return self._tensor(name, given.array.shape, given.array, given)
        return self._tensor(name, given.shape, given)

    def _scales(self, kind: TensorType) -> Array:
        """The scales of a type: its one, or those along its axis."""
        assert kind.quantisation is not None
        scale = kind.quantisation.scale
        return np.array([scale]) if isinstance(scale, float) else self._graph.scales([kind])[scale]

    def _meaning(self, array: Array, kind: TensorType) -> Codes | None:
        """An array with what its elements stand for; None of floats."""
        if kind.quantisation is None:
            return None
        axis = kind.quantisation.axis or 0
        return Codes(array, self._scales(kind), kind.zero, axis)

    def _activation_tensor(self, name: str, kind: TensorType) -> int:
        nothing = np.empty(0, kind.element.storage)
        return self._tensor(
            name, kind.shape, None, self._meaning(nothing, kind), nothing.dtype.name
        )

    def _place(self, name: str) -> int:
        """Index of a value's tensor; a constant gets one on its first use."""
        if name not in self._places:
            array = self._graph.constant(name)
            codes = self._meaning(array, self._graph[name].type)
            self._places[name] = self._tensor(name, array.shape, array, codes)
        return self._places[name]

    def _tensor(
        self,
        name: str,
        shape: Sequence[int],
        data: Numbers | Array | None = None,
        codes: Codes | None = None,
        kind: str = "float32",
    ) -> int:
        tensor = schema.TensorT()
        tensor.name = name
        tensor.shape = list(shape)
        kind = kind if data is None else data.dtype.name
        if kind not in _TENSOR_TYPES:
            raise GraphError(
                "the element type cannot be written to a .tflite file",
                where=f"%{name}",
                expected="one of " + ", ".join(sorted(_TENSOR_TYPES)),
                found=kind,
            )
        tensor.type = getattr(schema.TensorType, _TENSOR_TYPES[kind])
        tensor.quantization = None if codes is None else _quantisation(codes)
        if data is not None:
            buffer = schema.BufferT()
            little = np.ascontiguousarray(data, data.dtype.newbyteorder("<"))
            buffer.data = little.reshape(-1).view(np.uint8)
            tensor.buffer = len(self._buffers)
            self._buffers.append(buffer)
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _operator(self, stage: Stage, inputs: list[int], output: int) -> schema.OperatorT:
        operator = schema.OperatorT()
        operator.opcodeIndex = self._codes.setdefault(stage.operator, len(self._codes))
        operator.inputs = inputs
        operator.outputs = [output]
        if stage.options is not None:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, stage.options)
            operator.builtinOptions = getattr(schema, f"{stage.options}T")()
            for name, value in stage.values.items():
                setattr(operator.builtinOptions, name, value)
        return operator


def _quantisation(codes: Codes) -> schema.QuantizationParametersT:
    """The table that says what codes stand for."""
    table = schema.QuantizationParametersT()
    table.scale = codes.scales.astype(np.float32).tolist()
    table.zeroPoint = [codes.zero] * len(codes.scales)
    table.quantizedDimension = codes.axis
    return table


def _operator_code(name: str) -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    # Old readers know this field only, and new ones take the larger of the two.
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    return code
