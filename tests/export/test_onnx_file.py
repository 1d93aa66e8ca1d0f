"""ONNX files of whole networks: same values, same names, same bytes."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

import netgen.ops as dsl
from netgen.dsl.tensor import Tensor, image
from netgen.errors import GraphError, InputError, MissingExtraError
from netgen.export.onnx_file import graph_to_onnx
from netgen.export.onnxruntime_session import run_onnxruntime
from netgen.ir.graph import Graph, Node
from netgen.ir.interpret import interpret
from netgen.ir.normalisation import Normalisation
from netgen.ir.operator import Const
from netgen.ir.origin import Origin
from netgen.models import NETWORKS
from netgen.passes import run_pipeline
from netgen.weights.seeded import seeded_weights
from tests.tools import run_python

if TYPE_CHECKING:
    import onnx

Build = Callable[[Callable[[], "Tensor | tuple[Tensor, ...]"]], Graph]
Error = Callable[..., float]
Inputs = Callable[[Graph], dict[str, npt.NDArray[np.float32]]]

CASES: list[tuple[str, dict[str, Any]]] = [
    ("mobilenet_v1", {"alpha": 0.25, "input_size": 96, "classes": 10}),
    ("mobilenet_v1", {"alpha": 0.5, "input_size": 65, "padding": "torch"}),
    ("mobilenet_v1", {"alpha": 0.25, "input_size": 64, "batch_norm": False, "input_channels": 1}),
    ("mobilenet_v2", {"alpha": 0.35, "input_size": 96}),
    ("mobilenet_v2", {"alpha": 0.5, "input_size": 75, "padding": "tensorflow", "classes": 29}),
    ("mobilenet_v2", {"alpha": 1.0, "input_size": 64, "batch_norm": False}),
]


def seeded(name: str, parameters: dict[str, Any]) -> Graph:
    graph: Graph = NETWORKS[name].build(**parameters)
    return graph.with_constants(seeded_weights(graph))


def load(graph: Graph) -> onnx.ModelProto:
    from onnx import load_from_string

    return load_from_string(graph_to_onnx(graph))


@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_network_as_written_and_after_passes(
    error: Error, name: str, parameters: dict[str, Any]
) -> None:
    graph = seeded(name, parameters)
    assert error(graph) < 1e-5
    assert error(run_pipeline(graph)) < 1e-5


@pytest.mark.parametrize("fused", [False, True])
def test_every_value_of_a_network(error: Error, fused: bool) -> None:
    graph = seeded(*CASES[3])
    graph = run_pipeline(graph) if fused else graph
    assert error(graph, [node.name for node in graph.activations]) < 1e-5


def two_outputs() -> tuple[Tensor, ...]:
    x = image(6, 5, 3)
    y = dsl.conv2d(x, 8, 3, pad=1, name="wide")
    z = dsl.relu6(y, name="clipped")
    return y, dsl.linear(dsl.flatten(z), 4, name="scores")


def test_interface_is_nhwc_and_values_keep_their_names(build: Build) -> None:
    contents = load(build(two_outputs)).graph

    def shapes(values: Iterable[onnx.ValueInfoProto]) -> dict[str, list[int]]:
        return {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}

    assert shapes(contents.input) == {"image": [1, 6, 5, 3]}
    assert shapes(contents.output) == {"wide": [1, 6, 5, 8], "scores": [1, 4]}
    assert shapes(contents.value_info) == {
        "image/nchw": [1, 3, 6, 5],
        "wide/nchw": [1, 8, 6, 5],
        "clipped": [1, 8, 6, 5],
        "reshape": [1, 240],
    }
    weights = {tensor.name: list(tensor.dims) for tensor in contents.initializer}
    assert weights["wide.w"] == [8, 3, 3, 3]
    assert weights["scores.w"] == [4, 240]


def test_interface_in_nchw_needs_no_transpose(build: Build, inputs: Inputs) -> None:
    from onnx import load_from_string

    from netgen.export.onnxruntime_session import open_session

    def body() -> tuple[Tensor, ...]:
        x = image(6, 5, 3)
        return x, dsl.conv2d(x, 8, 3, pad=1)

    graph = build(body)
    content = graph_to_onnx(graph, "NCHW")
    assert [node.op_type for node in load_from_string(content).graph.node] == ["Conv"]
    images = inputs(graph)
    feed = {"image": np.ascontiguousarray(images["image"].transpose(0, 3, 1, 2))}
    given, result = open_session(content).run(None, feed)
    np.testing.assert_array_equal(given, feed["image"])
    expected = interpret(graph, images)["conv2d"].transpose(0, 3, 1, 2)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_file_header(build: Build) -> None:
    model = load(build(two_outputs))
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    assert (model.producer_name, model.producer_version, model.ir_version) == ("netgen", "", 8)
    assert model.graph.name == "case"


def test_equal_numbers_are_stored_once(build: Build) -> None:
    contents = load(build(lambda: dsl.relu6(dsl.relu6(image(2, 2, 3))))).graph
    assert [tensor.name for tensor in contents.initializer] == ["relu6/Clip1.1", "relu6/Clip1.2"]


def test_bytes_depend_on_the_graph_alone(tmp_path: Path) -> None:
    code = (
        "import hashlib, sys; from netgen.export.onnx_file import graph_to_onnx;"
        "from netgen.models import NETWORKS; from netgen.weights.seeded import seeded_weights;"
        "g = NETWORKS['mobilenet_v2'].build(alpha=0.35, input_size=96);"
        "sys.stdout.write(hashlib.sha256("
        "graph_to_onnx(g.with_constants(seeded_weights(g)))).hexdigest())"
    )
    expected = hashlib.sha256(graph_to_onnx(seeded(*CASES[3]))).hexdigest()
    for seed in "1", "2":
        found = run_python("-c", code, folder=tmp_path, PYTHONHASHSEED=seed)
        assert found.stdout == expected


def test_input_that_is_an_output_and_output_listed_twice(error: Error, build: Build) -> None:
    def body() -> tuple[Tensor, ...]:
        x = image(3, 4, 5)
        y = dsl.relu(x)
        return x, y, y

    assert error(build(body)) == 0.0


@pytest.mark.parametrize("shape", [(1, 2, 3, 4), (4, 3)])
def test_constant_that_is_an_output(build: Build, inputs: Inputs, shape: tuple[int, ...]) -> None:
    graph = build(lambda: dsl.relu(image(2, 3, 4)))
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    kind = type(graph.inputs[0].type)("f32", shape)
    table = Node("table", Const("table"), (), kind)
    graph = Graph("case", [*graph.nodes, table], [*graph.outputs, "table"], {"table": array})
    np.testing.assert_array_equal(run_onnxruntime(graph, inputs(graph))["table"], array)


def test_constant_without_data(build: Build) -> None:
    graph = build(two_outputs).with_constants({})
    with pytest.raises(GraphError, match=r"no data for @wide\.w"):
        graph_to_onnx(graph)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "no array for the input %image"),
        ({"image": np.zeros((1, 3, 6, 5))}, r"expected \[1, 6, 5, 3\], found \[1, 3, 6, 5\]"),
    ],
)
def test_wrong_inputs(
    build: Build, given: dict[str, npt.NDArray[np.float64]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run_onnxruntime(build(two_outputs), given)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_missing_package_is_named(
    build: Build, inputs: Inputs, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    graph = build(two_outputs)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        MissingExtraError, match=rf"package {package},.*pip install onnx onnxruntime"
    ):
        run_onnxruntime(graph, inputs(graph))


def test_values_in_onnxruntime_do_not_replace_the_outputs(build: Build, inputs: Inputs) -> None:
    graph = build(two_outputs)
    images = inputs(graph)
    found = run_onnxruntime(graph, images, ["clipped", "image"])
    assert list(found) == ["clipped", "image"]
    np.testing.assert_allclose(found["clipped"], interpret(graph, images)["clipped"], atol=1e-5)
    assert graph.outputs == ("wide", "scores")


def test_what_the_weights_expect_of_pixels_is_in_the_metadata(build: Build) -> None:
    pixels = Normalisation((0.1, 1 / 3, -2.5e-7), (1.0, 0.229, 1e20))
    graph = build(two_outputs)
    assert not load(graph).metadata_props  # nothing is known
    graph = graph.with_constants(graph.constants, Origin("net", normalisation=pixels))
    assert {entry.key: entry.value for entry in load(graph).metadata_props} == {
        "netgen.mean": "0.1,0.3333333333333333,-2.5e-07",
        "netgen.std": "1.0,0.229,1e+20",
    }
    assert load(run_pipeline(graph)).metadata_props == load(graph).metadata_props
