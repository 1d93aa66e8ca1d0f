"""ONNX Runtime on a graph: an independent judge of the interpreter and of compiled models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from netgen.errors import InputError, MissingExtraError
from netgen.export.onnx_file import graph_to_onnx
from netgen.ir.graph import Graph

if TYPE_CHECKING:
    import onnxruntime


def open_session(content: bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open a session on an ONNX file: so many threads, every graph optimisation.

    Several threads wait for each other by spinning, which is faster; one has nothing to wait for.
    Raises MissingExtraError where onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise MissingExtraError("onnxruntime", "onnx", "ONNX Runtime as a peer") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(threads > 1)))
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only: its warnings are about machines without a GPU
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def run_onnxruntime(
    graph: Graph,
    inputs: Mapping[str, npt.ArrayLike],
    values: Iterable[str] | None = None,
) -> dict[str, npt.NDArray[np.float32]]:
    """Run one inference in ONNX Runtime on one thread: outputs by name, laid out as here.

    `values` asks for these values of the graph instead, each as computed (it becomes an output, so
    ONNX Runtime does not fuse it away). Raises InputError for inputs that are missing or of the
    wrong shape, MissingExtraError where onnx or onnxruntime is not installed.
    """
    if values is not None:
        graph = Graph(graph.name, graph.nodes, values, graph.constants, graph.origin)
    outputs = list(dict.fromkeys(graph.outputs))
    feed = {node.name: _checked(inputs, node.name, node.type.shape) for node in graph.inputs}
    results = open_session(graph_to_onnx(graph)).run(outputs, feed)
    return {name: np.asarray(result) for name, result in zip(outputs, results, strict=True)}


def _checked(
    inputs: Mapping[str, npt.ArrayLike], name: str, shape: tuple[int, ...]
) -> npt.NDArray[np.float32]:
    if name not in inputs:
        raise InputError(f"no array for the input %{name}")
    array = np.asarray(inputs[name], np.float32)
    if array.shape != shape:
        raise InputError(
            f"the array for the input %{name} has the wrong shape",
            expected=str(list(shape)),
            found=str(list(array.shape)),
        )
    return array
