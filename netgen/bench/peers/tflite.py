"""LiteRT, the runtime of TensorFlow Lite, with its XNNPACK delegate.

A `.tflite` file is run as it is. Any other graph comes as the file that netgen writes for it after
its own passes: batch norm is folded and activations are fused, as TensorFlow's converter leaves
them.
"""

from __future__ import annotations

import importlib.metadata

import numpy as np

from netgen.bench.peers.peer import Form, Peer
from netgen.bench.subject import Subject
from netgen.bench.worker import Array, Loaded
from netgen.errors import GraphError
from netgen.ir.graph import Graph
from netgen.passes import fuse_for_others


def _prepare(graph: Graph) -> bytes:
    from netgen.export.tflite_file import graph_to_tflite

    return graph_to_tflite(fuse_for_others(graph))


def _file(subject: Subject) -> bytes:
    assert subject.file is not None
    content = subject.file.read_bytes()
    if (reason := refusal(content)) is not None:
        raise GraphError(f"LiteRT does not run this file: {reason}", where=str(subject.file))
    return content


def refusal(content: bytes) -> str | None:
    """The beginning of what LiteRT says of a file that it does not run; None if it does."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES  # a delegate would print
    try:
        Interpreter(model_content=content, experimental_op_resolver_type=plain).allocate_tensors()
    except (ValueError, RuntimeError) as error:
        return str(error).partition(". ")[0]
    return None


def _load(content: bytes, inputs: tuple[Array, ...], threads: int) -> Loaded:
    from ai_edge_litert.interpreter import Interpreter

    # XNNPACK is its default.
    interpreter = Interpreter(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()
    for given, array in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(given["index"], array.reshape(given["shape"]))
    interpreter.invoke()
    outputs = tuple(
        np.array(interpreter.get_tensor(output["index"]))
        for output in interpreter.get_output_details()
    )
    version = importlib.metadata.version("ai-edge-litert")
    return Loaded(version, outputs, interpreter.invoke)


TFLITE = Peer(("ai_edge_litert", "flatbuffers"), _prepare, _load, of_file=Form(_file, _load))
