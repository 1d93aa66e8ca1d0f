"""One operator of TensorFlow Lite on its reference kernels: the oracle of everything on codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netgen.ir.tensor_type import Array, TensorType
from tests.tools import find_package

_TYPES = {"f32": "FLOAT32", "i8": "INT8", "u8": "UINT8", "i16": "INT16", "i32": "INT32"}


def litert(
    operator: str,
    x: Array,
    kinds: tuple[TensorType, TensorType],
    *constants: Array,
    options: tuple[str, Mapping[str, object]] | None = None,
) -> Array:
    """The result for x, of these types; int32 `constants` follow x, `options` are the schema's."""
    schema = find_package("ai_edge_litert.schema_py_generated")
    flatbuffers = find_package("flatbuffers")
    from ai_edge_litert import interpreter as lite

    tensors = [_tensor(schema, name, kind) for name, kind in zip("xy", kinds, strict=True)]
    call, code, graph, model = (
        schema.OperatorT(), schema.OperatorCodeT(), schema.SubGraphT(), schema.ModelT()
    )  # fmt: skip
    model.buffers = [schema.BufferT()]
    for number, array in enumerate(constants):
        tensor = _tensor(schema, f"c{number}", TensorType("i32", array.shape))
        buffer = schema.BufferT()
        buffer.data = array.astype("<i4").reshape(-1).view(np.uint8)
        tensor.buffer = len(model.buffers)
        tensors.append(tensor)
        model.buffers.append(buffer)
    call.inputs, call.outputs = [0, *range(2, len(tensors))], [1]
    if options is not None:
        name, values = options
        call.builtinOptionsType = getattr(schema.BuiltinOptions, name)
        call.builtinOptions = getattr(schema, f"{name}T")()
        for key, value in values.items():
            setattr(call.builtinOptions, key, value)
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, operator)
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [call], [0], [1]
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], [code]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    runtime = lite.Interpreter(
        model_content=bytes(builder.Output()),
        experimental_op_resolver_type=lite.OpResolverType.BUILTIN_REF,
    )
    runtime.allocate_tensors()
    runtime.set_tensor(0, x)
    runtime.invoke()
    found: Array = runtime.get_tensor(1)
    return found


def _tensor(schema: Any, name: str, kind: TensorType) -> Any:  # noqa: ANN401  # classes without types
    tensor = schema.TensorT()
    tensor.name, tensor.shape = name, list(kind.shape)
    tensor.type = getattr(schema.TensorType, _TYPES[kind.dtype])
    if kind.quantisation is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = [kind.quantisation.scale]
        tensor.quantization.zeroPoint = [kind.quantisation.zero]
    return tensor
