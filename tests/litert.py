"""One operator of TensorFlow Lite on its reference kernels: the oracle of everything on codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from netgen.ir.tensor_type import Array, TensorType
from tests.tools import find_package

# An object of the schema, whose classes flatbuffers' compiler writes without types.
Table: TypeAlias = Any

_TYPES = {"f32": "FLOAT32", "i8": "INT8", "u8": "UINT8", "i16": "INT16", "i32": "INT32"}


def litert(
    operator: str,
    x: Array,
    kinds: tuple[TensorType, TensorType],
    *constants: Array,
    options: tuple[str, Mapping[str, object]] | None = None,
) -> Array:
    """The result for x, of these types; int32 `constants` follow x, `options` are the schema's."""
    operands = [Operand(kinds[0], x)]
    operands += [Operand(TensorType("i32", each.shape), each, constant=True) for each in constants]
    return litert_of(operator, operands, kinds[1], options)


@dataclass(frozen=True)
class Operand:
    """A tensor that an operator reads, and its elements: given when it runs, or a constant."""

    kind: TensorType
    array: Array
    constant: bool = False


def litert_of(
    operator: str,
    operands: Sequence[Operand],
    kind: TensorType,
    options: tuple[str, Mapping[str, object]] | None = None,
) -> Array:
    """The result, of this kind, of an operator of any operands; `options` are the schema's."""
    schema = find_package("ai_edge_litert.schema_py_generated")
    flatbuffers = find_package("flatbuffers")
    from ai_edge_litert import interpreter as lite

    call, code, graph, model = (
        schema.OperatorT(), schema.OperatorCodeT(), schema.SubGraphT(), schema.ModelT()
    )  # fmt: skip
    model.buffers = [schema.BufferT()]
    tensors = [_tensor(schema, f"x{n}", operand.kind) for n, operand in enumerate(operands)]
    tensors.append(_tensor(schema, "y", kind))
    for tensor, operand in zip(tensors, operands, strict=False):
        if operand.constant:
            buffer = schema.BufferT()
            stored = operand.array.astype(operand.kind.element.storage)
            buffer.data = np.frombuffer(stored.tobytes(), np.uint8)
            tensor.buffer = len(model.buffers)
            model.buffers.append(buffer)
    given = [n for n, operand in enumerate(operands) if not operand.constant]
    call.inputs, call.outputs = [*range(len(operands))], [len(operands)]
    if options is not None:
        name, values = options
        call.builtinOptionsType = getattr(schema.BuiltinOptions, name)
        call.builtinOptions = getattr(schema, f"{name}T")()
        for key, value in values.items():
            setattr(call.builtinOptions, key, value)
    code.builtinCode = getattr(schema.BuiltinOperator, operator)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    graph.tensors, graph.operators, graph.inputs, graph.outputs = (
        tensors,
        [call],
        given,
        call.outputs,
    )
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], [code]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    runtime = lite.Interpreter(
        model_content=bytes(builder.Output()),
        experimental_op_resolver_type=lite.OpResolverType.BUILTIN_REF,
    )
    runtime.allocate_tensors()
    for n in given:
        runtime.set_tensor(n, operands[n].array.astype(operands[n].kind.element.storage))
    runtime.invoke()
    found: Array = runtime.get_tensor(len(operands))
    return found


def _tensor(schema: Table, name: str, kind: TensorType) -> Table:
    tensor = schema.TensorT()
    tensor.name, tensor.shape = name, list(kind.shape)
    tensor.type = getattr(schema.TensorType, _TYPES[kind.dtype])
    if kind.quantisation is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = [kind.quantisation.scale]
        tensor.quantization.zeroPoint = [kind.quantisation.zero]
    return tensor
