"""ONNX Runtime, on the ONNX file that netgen writes."""

from __future__ import annotations

from netgen.bench.peers.peer import Peer, channels_first, channels_last
from netgen.bench.worker import Array, Loaded
from netgen.export.onnx_file import graph_to_onnx
from netgen.ir.graph import Graph


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


ONNXRUNTIME = Peer(("onnx", "onnxruntime"), _prepare, _load)
