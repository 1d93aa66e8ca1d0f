"""The standard interface `onnx.backend` over compiled C.

    import netgen.onnx_backend as backend
    results = backend.prepare(model).run(inputs)

A network is compiled for the shapes of its first run, whose inputs bind what is open. Inputs that
netgen computes with are floats: others, and those that an operator needs as constants, are taken
from that run as constants, and the network is compiled anew for others. Results have the element
types that the file says.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto
from onnx.backend.base import Backend, BackendRep
from onnx.helper import tensor_dtype_to_np_dtype
from onnx.numpy_helper import from_array, to_array

from netgen.compiler import compile as compile_graph
from netgen.errors import GraphError, NetgenError
from netgen.frontends.onnx_file import load_onnx
from netgen.ir.graph import Graph
from netgen.runtime.model import CompiledModel

Arrays: TypeAlias = Sequence[npt.NDArray[Any]]
_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)


class NetgenRep(BackendRep):
    """A network that is compiled when its inputs are known."""

    def __init__(self, model: ModelProto, target: str) -> None:
        self._model = model
        self._target = target
        self._signature: list[bytes] = []
        self._live: list[int] = []
        self._graph: Graph | None = None
        self._compiled: CompiledModel | None = None

    def run(self, inputs: Arrays, **_: object) -> tuple[npt.NDArray[Any], ...]:
        """Run the network; raises NetgenError for one that netgen refuses."""
        arrays = arrays_of(inputs)
        signature = [_signature(array, at in self._live) for at, array in enumerate(arrays)]
        if self._compiled is None or self._graph is None or signature != self._signature:
            self._graph, self._live = read(self._model, arrays)
            self._compiled = compile_graph(self._graph, target=self._target)
            self._signature = [_signature(a, at in self._live) for at, a in enumerate(arrays)]
        feeds = [
            np.asarray(arrays[at], np.float32).reshape(node.type.shape)
            for at, node in zip(self._live, self._graph.inputs, strict=True)
        ]
        found = self._compiled(*feeds)
        results = found if isinstance(found, tuple) else (found,)
        return as_file_says(self._model, self._graph, results)


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


def _signature(array: npt.NDArray[Any], live: bool) -> bytes:
    """The part of an input that is compiled in: its shape, and as a constant what it holds."""
    return str(array.shape).encode() + (b"" if live else array.tobytes())


def read(model: ModelProto, arrays: Arrays) -> tuple[Graph, list[int]]:
    """The graph for inputs of these shapes, and which of them it has as inputs.

    All floats are, or where an operator needs constants only the first of them. Raises GraphError
    for a model without one, and what reading raises.
    """
    inputs = inputs_of(model)
    floats = [at for at, value in enumerate(inputs) if _is_float(value)]
    if not floats or floats[0] != 0:
        raise GraphError("the first input is no tensor of floats")
    try:
        return _read(model, inputs, arrays, floats), floats
    except NetgenError:
        if len(floats) == 1:
            raise
    return _read(model, inputs, arrays, floats[:1]), floats[:1]


def inputs_of(model: ModelProto) -> list[ValueInfoProto]:
    """The inputs that have no initializer."""
    known = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in known]


def _is_float(value: ValueInfoProto) -> bool:
    kind = value.type
    return kind.HasField("tensor_type") and kind.tensor_type.elem_type in _FLOATS


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
    def supports_device(cls, device: str) -> bool:
        """Whether it is the processor."""
        return device == "CPU"


prepare = NetgenBackend.prepare
run_model = NetgenBackend.run_model
supports_device = NetgenBackend.supports_device
