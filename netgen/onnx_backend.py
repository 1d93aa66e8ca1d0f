"""The standard interface `onnx.backend` over compiled C.

    import netgen.onnx_backend as backend
    results = backend.prepare(model).run(inputs)

A network is compiled for the shapes of its first run, whose inputs bind what is open. Inputs that
netgen computes with are floats, or codes of 8 and 16 bits: others, and those that an operator needs
as constants, are taken from that run as constants, and the network is compiled anew for others.
Results have the element types that the file says.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto
from onnx.backend.base import Backend, BackendRep
from onnx.helper import (
    make_graph,
    make_model,
    make_opsetid,
    make_tensor_value_info,
    np_dtype_to_tensor_dtype,
    tensor_dtype_to_np_dtype,
)
from onnx.numpy_helper import from_array, to_array
from onnx.shape_inference import infer_shapes

from netgen.compiler import compile as compile_graph
from netgen.errors import GraphError, NetgenError
from netgen.frontends.onnx_file import load_onnx
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array
from netgen.runtime.model import CompiledModel

Arrays: TypeAlias = Sequence[npt.NDArray[Any]]
_READ = (
    *(TensorProto.FLOAT, TensorProto.FLOAT16),
    *(TensorProto.UINT8, TensorProto.INT8, TensorProto.INT16),
)


@dataclass(frozen=True)
class Prepared:
    """A network for inputs of one signature, of which it takes those that are `live`."""

    signature: list[bytes]
    live: list[int]
    graph: Graph
    compiled: CompiledModel


class NetgenRep(BackendRep):
    """A network that is compiled when its inputs are known."""

    def __init__(self, model: ModelProto, target: str) -> None:
        self._model = model
        self._target = target
        self._prepared: Prepared | None = None

    def run(self, inputs: Arrays, **_: object) -> tuple[npt.NDArray[Any], ...]:
        """Run the network; raises NetgenError for one that netgen refuses."""
        arrays, ready = arrays_of(inputs), self._prepared
        if ready is None or _signature(arrays, ready.live) != ready.signature:
            graph, live = read(self._model, arrays)
            compiled = compile_graph(graph, target=self._target)
            ready = Prepared(_signature(arrays, live), live, graph, compiled)
            self._prepared = ready
        found = ready.compiled(*feeds_of(ready.graph, ready.live, arrays).values())
        results = found if isinstance(found, tuple) else (found,)
        return as_file_says(self._model, ready.graph, results)


def arrays_of(inputs: Sequence[object]) -> list[npt.NDArray[Any]]:
    """Inputs as arrays; raises GraphError for sequences and what else is none."""
    arrays = [
        to_array(x) if isinstance(x, TensorProto) else np.asarray(x)
        for x in inputs
        if isinstance(x, TensorProto | np.ndarray | np.generic | int | float)
    ]
    if len(arrays) != len(inputs):
        raise GraphError("an input is no tensor")
    return arrays


def _signature(arrays: Arrays, live: Sequence[int]) -> list[bytes]:
    """Shapes of inputs, and what constants hold: all that is compiled in."""
    return [
        str(array.shape).encode()
        + (b"" if at in live else array.dtype.str.encode() + array.tobytes())
        for at, array in enumerate(arrays)
    ]


def feeds_of(graph: Graph, live: Sequence[int], arrays: Arrays) -> dict[str, Array]:
    """The inputs of the graph by name."""
    return {
        node.name: np.asarray(arrays[at], node.type.element.storage).reshape(node.type.shape)
        for at, node in zip(live, graph.inputs, strict=True)
    }


def read(model: ModelProto, arrays: Arrays) -> tuple[Graph, list[int]]:
    """The graph for inputs of these shapes, and which of them it has as inputs.

    All floats and codes are, or where an operator needs constants only the first of them. Raises
    GraphError for another number of inputs, or a model with neither, and what reading raises.
    """
    inputs = inputs_of(model)
    if len(arrays) != len(inputs):
        raise GraphError(
            "another number of inputs",
            expected=", ".join(value.name for value in inputs),
            found=str(len(arrays)),
        )
    found = [at for at, value in enumerate(inputs) if _is_read(value)]
    if not found or found[0] != 0:
        raise GraphError("the first input is no tensor of floats or codes")
    try:
        return _read(model, inputs, arrays, found), found
    except NetgenError:
        if len(found) == 1:
            raise
    return _read(model, inputs, arrays, found[:1]), found[:1]


def inputs_of(model: ModelProto) -> list[ValueInfoProto]:
    """The inputs that have no initializer."""
    known = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in known]


def _is_read(value: ValueInfoProto) -> bool:
    kind = value.type
    return kind.HasField("tensor_type") and kind.tensor_type.elem_type in _READ


def _read(
    model: ModelProto, inputs: Sequence[ValueInfoProto], arrays: Arrays, live: Sequence[int]
) -> Graph:
    bound = ModelProto()
    bound.CopyFrom(model)
    del bound.graph.input[:]
    bound.graph.input.extend(inputs[at] for at in live)
    bound.graph.initializer.extend(
        from_array(array, value.name)
        for at, (value, array) in enumerate(zip(inputs, arrays, strict=True))
        if at not in live
    )
    shapes = {inputs[at].name: arrays[at].shape for at in live}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(bound.SerializeToString())
        return load_onnx(path, shapes)


def as_file_says(model: ModelProto, graph: Graph, results: Arrays) -> tuple[npt.NDArray[Any], ...]:
    """Results with the element types and ranks of the file."""
    found = []
    for value, name, array in zip(model.graph.output, graph.outputs, results, strict=True):
        kind, shape = value.type.tensor_type, graph[name].type.shape
        if kind.HasField("shape"):
            # One of 1 stands before a first axis that is no batch, and one number is [1,1].
            shape = shape[len(shape) - len(kind.shape.dim) :]
        found.append(array.reshape(shape).astype(tensor_dtype_to_np_dtype(kind.elem_type)))
    return tuple(found)


def _model_of(
    node: NodeProto,
    arrays: Arrays,
    results: Sequence[tuple[np.dtype[Any], tuple[int, ...]]] | None,
    version: int,
) -> ModelProto:
    """A model of one node; types of results that are not given are inferred."""
    names = [name for name in dict.fromkeys(node.input) if name]
    if len(names) != len(arrays):
        raise GraphError(
            "another number of inputs", expected=", ".join(names), found=str(len(arrays))
        )
    made = [name for name in node.output if name]
    outputs = [ValueInfoProto(name=name) for name in made]
    if results is not None:
        outputs = [_typed(name, *each) for name, each in zip(made, results, strict=True)]
    inputs = [_typed(name, a.dtype, a.shape) for name, a in zip(names, arrays, strict=True)]
    model = make_model(
        make_graph([node], "node", inputs, outputs), opset_imports=[make_opsetid("", version)]
    )
    if results is None:
        known = ModelProto()
        known.CopyFrom(model)
        known.graph.initializer.extend(map(from_array, arrays, names))
        del model.graph.output[:]
        model.graph.output.extend(infer_shapes(known, data_prop=True).graph.output)
    return model


def _typed(name: str, dtype: np.dtype[Any], shape: Sequence[int]) -> ValueInfoProto:
    return make_tensor_value_info(name, np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)


class NetgenBackend(Backend):
    """The backend: `target` is one of `netgen targets`, or `native`."""

    @classmethod
    def prepare(
        cls, model: ModelProto, device: str = "CPU", target: str = "native", **_: object
    ) -> NetgenRep:
        """Check the model; it is compiled at its first run."""
        onnx.checker.check_model(model)
        if not cls.supports_device(device):
            raise GraphError("only CPUs are supported", found=device)
        return NetgenRep(model, target)

    @classmethod
    def run_node(
        cls,
        node: NodeProto,
        inputs: Sequence[object],
        device: str = "CPU",
        outputs_info: Sequence[tuple[np.dtype[Any], tuple[int, ...]]] | None = None,
        **options: object,
    ) -> tuple[npt.NDArray[Any], ...]:
        """Run a network of one node, of the newest opset or of `opset_version`, for a `target`.

        The inputs are those that the node names, each once.
        """
        version = int(str(options.get("opset_version", onnx.defs.onnx_opset_version())))
        arrays = arrays_of(inputs)
        model = _model_of(node, arrays, outputs_info, version)
        return cls.prepare(model, device, str(options.get("target", "native"))).run(arrays)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether it is the processor."""
        return device == "CPU"


prepare = NetgenBackend.prepare
run_model = NetgenBackend.run_model
run_node = NetgenBackend.run_node
supports_device = NetgenBackend.supports_device
