"""OpenVINO, on the ONNX file that netgen writes.

It would compute in bf16 by itself wherever the processor has instructions for that, at errors of
1e-2 of the largest output and more; here it is told to compute in fp32, as everyone else does.
"""

from __future__ import annotations

from netgen.bench.peers.peer import Peer, channels_first, channels_last
from netgen.bench.worker import Array, Loaded
from netgen.export.onnx_file import graph_to_onnx
from netgen.ir.graph import Graph

_SETTINGS = {
    "INFERENCE_PRECISION_HINT": "f32",
    "EXECUTION_MODE_HINT": "PERFORMANCE",
    "PERFORMANCE_HINT": "LATENCY",
    "NUM_STREAMS": 1,
}


def _prepare(graph: Graph) -> bytes:
    return graph_to_onnx(graph, "NCHW")


def _load(content: bytes, inputs: tuple[Array, ...], threads: int) -> Loaded:
    import openvino

    core = openvino.Core()
    settings = {**_SETTINGS, "INFERENCE_NUM_THREADS": threads}
    request = core.compile_model(core.read_model(content), "CPU", settings).create_infer_request()
    for index, array in enumerate(map(channels_first, inputs)):
        # The request keeps the memory; handing arrays to `infer` instead costs 0.1 ms each time.
        request.set_input_tensor(index, openvino.Tensor(array, shared_memory=True))
    request.infer()
    outputs = tuple(channels_last(tensor.data.copy()) for tensor in request.output_tensors)
    version = str(openvino.__version__).split("-", maxsplit=1)[0]
    return Loaded(version, outputs, request.infer)


OPENVINO = Peer(("onnx", "openvino"), _prepare, _load)
