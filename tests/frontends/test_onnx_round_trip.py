"""Exported models are read back: every network, both interfaces, as written and fused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import netgen
import netgen.ops as dsl
from netgen.dsl.tensor import Tensor, constructing, finish, image
from netgen.export.onnx_file import Interface, graph_to_onnx
from netgen.frontends.onnx_file import load_onnx
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.text import print_graph
from netgen.models import NETWORKS
from netgen.passes import run_pipeline
from netgen.weights.seeded import seeded_weights, uniform

TO_CHANNELS_FIRST = (0, 3, 1, 2)
# As far as an architecture has these parameters, and no more than its defaults.
SMALL = {"input_size": 33, "classes": 7, "alpha": 0.5}
WAYS: tuple[tuple[Interface, bool], ...] = (
    *(("NHWC", True), ("NCHW", False)),
    *(("NCHW", True), ("NHWC", False)),
)


def small(name: str) -> Graph:
    network = NETWORKS[name]
    defaults = {parameter.name: parameter.default for parameter in network.parameters}
    sizes = {key: min(size, int(defaults[key])) for key, size in SMALL.items() if key in defaults}
    graph: Graph = network.build(**sizes)
    return graph.with_constants(seeded_weights(graph))


def read_back(graph: Graph, path: Path, interface: Interface) -> Graph:
    path.write_bytes(graph_to_onnx(graph, interface))
    return load_onnx(path)


def compare(graph: Graph, again: Graph, interface: Interface) -> None:
    images = {node.name: uniform(node.name, node.type.shape) for node in graph.inputs}
    expected, found = interpret(graph, images), interpret(again, _as(interface, images))
    assert again.outputs == graph.outputs
    outputs = _as(interface, {name: expected[name] for name in graph.outputs})
    for name, array in outputs.items():
        # Only the order of a layer's own sums may differ.
        np.testing.assert_allclose(found[name], array, rtol=0, atol=1e-7 * abs(array).max())


def _as(
    interface: Interface, values: dict[str, npt.NDArray[np.float64]]
) -> dict[str, npt.NDArray[np.float64]]:
    if interface == "NHWC":
        return values
    return {k: v.transpose(TO_CHANNELS_FIRST) if v.ndim == 4 else v for k, v in values.items()}


# Each network in one way by default; resnet18 has all that deeper ones have, which take their time.
@pytest.mark.parametrize(
    ("name", "interface", "fused"),
    [
        pytest.param(
            *(name, interface, fused),
            marks=[pytest.mark.heavy] * (way != n % 4 or name in {"resnet34", "resnet50"}),
        )
        for n, name in enumerate(NETWORKS)
        for way, (interface, fused) in enumerate(WAYS)
    ],
)
def test_network(tmp_path: Path, name: str, fused: bool, interface: Interface) -> None:
    graph = run_pipeline(small(name)) if fused else small(name)
    again = read_back(graph, tmp_path / "m.onnx", interface)
    compare(graph, again, interface)
    changes = [node for node in again.activations if node.op.operator_name == "transpose"]
    # One channel lies in the same order either way.
    same = interface == "NHWC" or graph.inputs[0].type.shape[-1] == 1
    assert len(changes) == (0 if same else 1)
    assert (again.macs(), again.parameters()) == (graph.macs(), graph.parameters())


def of_rank_four() -> tuple[Tensor, ...]:
    x = image(4, 5, 3)
    y = dsl.conv2d(x, 6, 3, pad=1)
    return dsl.relu(y), dsl.add(y, y)


def through_a_reshape() -> tuple[Tensor, ...]:
    x = dsl.conv2d(image(4, 6, 2), 3)
    return (dsl.relu(dsl.reshape(x, (1, 2, 12, 3))), dsl.linear(dsl.flatten(x), 5))


@pytest.mark.parametrize("interface", ["NHWC", "NCHW"])
@pytest.mark.parametrize("body", [of_rank_four, through_a_reshape])
def test_outputs_of_rank_four(tmp_path: Path, body: object, interface: Interface) -> None:
    with constructing() as construction:
        assert callable(body)
        graph = finish(construction, "case", body())
    graph = graph.with_constants(seeded_weights(graph))
    compare(graph, read_back(graph, tmp_path / "m.onnx", interface), interface)


def test_attributes_of_an_activation(tmp_path: Path) -> None:
    with constructing() as construction:
        x = image(3, 4, 5)
        graph = finish(construction, "case", (dsl.leaky_relu(x), dsl.leaky_relu(x, alpha=-0.25)))
    for interface in ("NHWC", "NCHW"):
        compare(graph, read_back(graph, tmp_path / "m.onnx", interface), interface)


def test_transpose_itself(tmp_path: Path) -> None:
    with constructing() as construction:
        x = dsl.transpose(image(3, 4, 5), (0, 2, 3, 1))
        y = dsl.transpose(dsl.relu(x), (0, 3, 1, 2))
        graph = finish(construction, "case", (x, y))
    for interface in ("NHWC", "NCHW"):
        compare(graph, read_back(graph, tmp_path / "m.onnx", interface), interface)


def test_origin_says_which_file(tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    graph = read_back(small("mobilenet_v1"), path, "NHWC")
    assert graph.name == "small"
    assert graph.origin is not None
    assert (graph.origin.model, graph.origin.weights_file) == ("small.onnx", "small.onnx")
    assert graph.origin.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_same_file_gives_the_same_graph(tmp_path: Path) -> None:
    texts = {
        print_graph(read_back(small("mobilenet_v2"), tmp_path / "m.onnx", "NCHW")) for _ in "ab"
    }
    assert len(texts) == 1


@pytest.mark.heavy
def test_compiled_from_a_file_channels_first(tmp_path: Path) -> None:
    graph = small("mobilenet_v1")
    path = tmp_path / "m.onnx"
    path.write_bytes(graph_to_onnx(graph, "NCHW"))
    model = netgen.compile(netgen.load(str(path)), target="generic")
    x = uniform("image", graph.inputs[0].type.shape).astype(np.float32)
    expected = interpret(graph, {"image": x})[graph.outputs[0]]
    found = model(x.transpose(TO_CHANNELS_FIRST))
    assert abs(found - expected).max() < 1e-5 * abs(expected).max()
    files = netgen.emit(netgen.load(str(path)), tmp_path / "model.c")
    assert "netgen compile m.onnx --target generic -o model.c" in files[0].read_text()
