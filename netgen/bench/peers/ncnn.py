"""ncnn, on what its own converter pnnx makes of the ONNX file that netgen writes."""

from __future__ import annotations

import importlib.util
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netgen.bench.peers.peer import Peer, channels_first, channels_last
from netgen.bench.worker import Array, Loaded
from netgen.errors import BuildError
from netgen.export.onnx_file import graph_to_onnx
from netgen.export.onnx_operators import channels_first as first_shape
from netgen.ir.graph import Graph

# What would make it compute in less than fp32.
_NOT_FP32 = (
    "use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_packed",
    "use_bf16_storage",
)  # fmt: skip


@dataclass(frozen=True)
class _Converted:
    """ncnn's two files, and the NCHW shapes of the outputs, of which ncnn drops what is 1."""

    param: str
    weights: bytes
    outputs: tuple[tuple[int, ...], ...]


def _prepare(graph: Graph) -> _Converted:
    shapes = (first_shape(node.type.shape) for node in graph.inputs)
    inputs = ",".join(f"[{','.join(map(str, shape))}]f32" for shape in shapes)
    with tempfile.TemporaryDirectory() as folder:
        param, weights = Path(folder, "model.ncnn.param"), Path(folder, "model.ncnn.bin")
        Path(folder, "model.onnx").write_bytes(_evenly_padded(graph_to_onnx(graph, "NCHW")))
        converter = subprocess.run(
            [_pnnx(), "model.onnx", f"inputshape={inputs}", "fp16=0"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if converter.returncode != 0 or not param.is_file() or not weights.is_file():
            last = (converter.stdout.strip().splitlines() or ["no message"])[-1]
            raise BuildError(f"pnnx ended with status {converter.returncode}", found=last)
        outputs = (first_shape(graph[name].type.shape) for name in dict.fromkeys(graph.outputs))
        return _Converted(param.read_text(), weights.read_bytes(), tuple(outputs))


def _evenly_padded(content: bytes) -> bytes:
    """Pad pooling at the end as at the beginning wherever no window gets to see it.

    pnnx reads other paddings of pooling wrongly: it pads by Padding and by Pooling again.
    """
    import onnx

    model = onnx.load_from_string(content)
    shapes = {
        value.name: [extent.dim_value for extent in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.value_info)
    }
    for node in model.graph.node:
        if node.op_type not in {"AveragePool", "MaxPool"}:
            continue
        given = {attribute.name: attribute.ints for attribute in node.attribute}
        pads = given["pads"]  # top, left, bottom, right
        for axis, extent in enumerate(shapes[node.input[0]][2:]):
            before, after = pads[axis], pads[axis + 2]
            room = extent + before - given["kernel_shape"][axis]
            stride = given["strides"][axis]
            if after < before and (room + before) // stride == (room + after) // stride:
                pads[axis + 2] = before
    changed: bytes = model.SerializeToString()
    return changed


def _pnnx() -> str:
    """Find the program; its package is not imported, for that would import torch."""
    spec = importlib.util.find_spec("pnnx")
    if spec is None or spec.origin is None:
        raise BuildError("the package pnnx holds no program")
    return str(Path(spec.origin).with_name("pnnx"))


def _load(converted: _Converted, inputs: tuple[Array, ...], threads: int) -> Loaded:
    import ncnn

    # Magic, counts, then a layer per line, its kind first. What pnnx cannot convert it passes on.
    kinds = {line.split()[0] for line in converted.param.splitlines()[2:] if line.strip()}
    if unknown := sorted(kind for kind in kinds if ncnn.layer_to_index(kind) < 0):
        raise BuildError("pnnx wrote layers that ncnn does not have", found=", ".join(unknown))
    net = ncnn.Net()
    net.opt.num_threads = threads
    for option in _NOT_FP32:
        setattr(net.opt, option, False)
    with tempfile.NamedTemporaryFile(suffix=".bin") as weights:  # it loads these from files only
        weights.write(converted.weights)
        weights.flush()
        if net.load_param_mem(converted.param) != 0 or net.load_model(weights.name) != 0:
            raise BuildError("ncnn cannot load what pnnx wrote")
    packed = [channels_first(array)[0] for array in inputs]  # a Mat borrows its array
    images = [(f"in{index}", ncnn.Mat(array)) for index, array in enumerate(packed)]
    names = [f"out{index}" for index in range(len(converted.outputs))]

    def infer() -> list[object]:
        extractor = net.create_extractor()
        for name, image in images:
            extractor.input(name, image)
        return [extractor.extract(name)[1] for name in names]

    outputs = tuple(
        channels_last(np.array(mat, np.float32).reshape(shape))
        for mat, shape in zip(infer(), converted.outputs, strict=True)
    )
    return Loaded(str(ncnn.__version__), outputs, infer)


NCNN = Peer(("onnx", "ncnn", "pnnx"), _prepare, _load, extra="bench-torch")
