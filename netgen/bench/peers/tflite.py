"""LiteRT, the runtime of TensorFlow Lite, with its XNNPACK delegate.

The graph comes as the `.tflite` file that netgen writes for it after its own passes: batch norm is
folded and activations are fused, as TensorFlow's converter leaves them.
"""

from __future__ import annotations

import importlib.metadata

import numpy as np

from netgen.bench.peers.peer import Peer
from netgen.bench.worker import Array, Loaded
from netgen.ir.graph import Graph
from netgen.passes import fuse_for_others


def _prepare(graph: Graph) -> bytes:
    from netgen.bench.peers.tflite_file import graph_to_tflite

    return graph_to_tflite(fuse_for_others(graph))


def _load(content: bytes, inputs: tuple[Array, ...], threads: int) -> Loaded:
    from ai_edge_litert.interpreter import Interpreter

    # XNNPACK is its default.
    interpreter = Interpreter(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()
    for given, array in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(given["index"], array)
    interpreter.invoke()
    outputs = tuple(
        np.array(interpreter.get_tensor(output["index"]), np.float32)
        for output in interpreter.get_output_details()
    )
    version = importlib.metadata.version("ai-edge-litert")
    return Loaded(version, outputs, interpreter.invoke)


TFLITE = Peer(("ai_edge_litert", "flatbuffers"), _prepare, _load)
