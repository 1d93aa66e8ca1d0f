"""OpenVINO, on a `.tflite` file if it reads that one, else on the ONNX file that netgen writes.

It would compute in bf16 by itself wherever the processor has instructions for that, at errors of
1e-2 of the largest output and more; here it is told to compute in fp32, as everyone else does.
"""

from __future__ import annotations

from collections.abc import Callable

from netgen.bench.peers.peer import Form, Peer, channels_first, channels_last
from netgen.bench.subject import Subject
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


def _reads(subject: Subject) -> bool:
    """Whether it reads the file: it refuses those with scales along axes that it does not know."""
    import openvino

    try:
        openvino.Core().read_model(_file(subject))
    except RuntimeError:
        return False
    return True


def _file(subject: Subject) -> str:
    return str(subject.file)


def _load(content: bytes, inputs: tuple[Array, ...], threads: int) -> Loaded:
    version, outputs, infer = _run(content, tuple(map(channels_first, inputs)), threads)
    return Loaded(version, tuple(map(channels_last, outputs)), infer)


def _load_file(path: str, inputs: tuple[Array, ...], threads: int) -> Loaded:
    return Loaded(*_run(path, inputs, threads))


def _run(
    model: bytes | str, inputs: tuple[Array, ...], threads: int
) -> tuple[str, tuple[Array, ...], Callable[[], object]]:
    """Version, outputs and inference of a file, or of its content."""
    import openvino

    core = openvino.Core()
    settings = {**_SETTINGS, "INFERENCE_NUM_THREADS": threads}
    request = core.compile_model(core.read_model(model), "CPU", settings).create_infer_request()
    for index, array in enumerate(inputs):
        # The request keeps the memory; handing arrays to `infer` instead costs 0.1 ms each time.
        request.set_input_tensor(index, openvino.Tensor(array, shared_memory=True))
    request.infer()
    outputs = tuple(tensor.data.copy() for tensor in request.output_tensors)
    version = str(openvino.__version__).split("-", maxsplit=1)[0]
    return version, outputs, request.infer


OPENVINO = Peer(
    ("onnx", "openvino"), _prepare, _load, of_file=Form(_file, _load_file, takes=_reads)
)
