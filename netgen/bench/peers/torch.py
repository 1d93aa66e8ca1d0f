"""PyTorch in eager mode, on functions of `torch.nn.functional`, channels last.

The graph comes as the ONNX file that netgen writes after its own passes: batch norm is folded, as
PyTorch's own users do before they deploy.
"""

from __future__ import annotations

from netgen.bench.peers.peer import Peer
from netgen.bench.worker import Array, Loaded
from netgen.export.onnx_file import graph_to_onnx
from netgen.ir.graph import Graph
from netgen.passes import fuse_for_others


def _prepare(graph: Graph) -> bytes:
    return graph_to_onnx(fuse_for_others(graph), "NCHW")


def _load(content: bytes, inputs: tuple[Array, ...], threads: int) -> Loaded:
    from netgen.bench.peers.torch_module import load_onnx  # the only module that imports torch

    return load_onnx(content, inputs, threads)


TORCH = Peer(("onnx", "torch"), _prepare, _load, extra="bench-torch")
