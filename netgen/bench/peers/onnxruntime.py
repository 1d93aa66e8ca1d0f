"""ONNX Runtime, on the ONNX files that netgen writes: of floats, and of codes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netgen.bench.peers.peer import Form, Peer, channels_first, channels_last
from netgen.bench.subject import Subject
from netgen.bench.worker import Array, Loaded
from netgen.export.onnx_codes import graph_to_onnx_codes
from netgen.export.onnx_file import graph_to_onnx
from netgen.ir.graph import Graph

_SIGN = np.uint8(0x80)


def _prepare(graph: Graph) -> bytes:
    return graph_to_onnx(graph, "NCHW")


def _load(content: bytes, inputs: tuple[Array, ...], threads: int) -> Loaded:
    import onnxruntime

    from netgen.export.onnxruntime_session import open_session

    session = open_session(content, threads)
    names = [given.name for given in session.get_inputs()]
    feed = dict(zip(names, map(channels_first, inputs), strict=True))
    outputs = tuple(map(channels_last, session.run(None, feed)))
    return Loaded(onnxruntime.__version__, outputs, lambda: session.run(None, feed))


def _prepare_codes(subject: Subject) -> tuple[bytes, tuple[bool, ...]]:
    """The file, and which of its outputs are codes of i8, which it has as u8."""
    graph = subject.graph
    signed = tuple(graph[name].type.dtype == "i8" for name in dict.fromkeys(graph.outputs))
    return graph_to_onnx_codes(graph), signed


def _load_codes(
    prepared: tuple[bytes, tuple[bool, ...]], inputs: tuple[Array, ...], threads: int
) -> Loaded:
    content, signed = prepared
    given = tuple(_moved(array, np.uint8) if array.dtype == np.int8 else array for array in inputs)
    loaded = _load(content, given, threads)
    outputs = tuple(
        _moved(array, np.int8) if is_signed else array
        for array, is_signed in zip(loaded.outputs, signed, strict=True)
    )
    return replace(loaded, outputs=outputs)


def _moved(codes: Array, element: type[np.int8 | np.uint8]) -> Array:
    """Codes as the other type of 8 bits has them, 128 higher or lower."""
    return (np.ascontiguousarray(codes).view(np.uint8) ^ _SIGN).view(element)


ONNXRUNTIME = Peer(
    ("onnx", "onnxruntime"), _prepare, _load, of_codes=Form(_prepare_codes, _load_codes)
)
