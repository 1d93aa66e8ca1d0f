"""Networks of codes in the files of others: TensorFlow Lite's to the byte, ONNX's to a code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netgen.compiler import load
from netgen.dsl.network import Network, network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import GraphError
from netgen.export.formats import exported
from netgen.export.litert_session import run_litert
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array
from netgen.ir.text import parse_graph
from netgen.ops import resize_bilinear
from netgen.quantisation.noise import codes_of
from netgen.quantisation.options import Ports, QuantizeOptions
from netgen.quantisation.quantise import quantise
from tests.quantisation.networks import gated, images, moves, seeded, thin
from tests.tools import find_package


def coded(of: Network, ports: Ports) -> tuple[Graph, list[Array]]:
    """The network, and images as it takes them."""
    graph = seeded(of)
    (batch,) = images(graph).values()
    options = QuantizeOptions(ports=ports)
    made = quantise(graph, images(graph), options, lambda _: None, judge_steps=False).graph
    kind = made.inputs[0].type
    given = batch if kind.element.is_float else codes_of(batch, kind)
    return made, [x[None] for x in given[:6]]


@pytest.mark.parametrize("ports", ["float", "codes"])
@pytest.mark.parametrize("of", [thin, moves, gated])
def test_litert_computes_the_same_bytes(of: Network, ports: Ports) -> None:
    lite = find_package("ai_edge_litert.interpreter")
    graph, given = coded(of, ports)
    runtime = lite.Interpreter(
        model_content=exported(graph, "tflite"),
        experimental_op_resolver_type=lite.OpResolverType.BUILTIN_REF,
    )
    runtime.allocate_tensors()
    (place,), (result,) = runtime.get_input_details(), runtime.get_output_details()
    for x in given:
        runtime.set_tensor(place["index"], x)
        runtime.invoke()
        (name,) = graph.outputs
        expected = interpret(graph, {graph.inputs[0].name: x})[name]
        stored = graph[name].type.element.store(expected)
        found = runtime.get_tensor(result["index"])
        assert found.dtype == stored.dtype
        if of is gated:  # it computes floats on its way
            assert np.abs(found.astype(float) - stored).max() <= 1e-5 + (ports == "codes")
        else:
            assert np.array_equal(found, stored)


def test_onnxruntime_computes_nearly_the_same_codes() -> None:
    onnxruntime: Any = find_package("onnxruntime")
    graph, given = coded(thin, "codes")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(exported(graph, "onnx"), options)
    for x in given:
        shifted = (np.moveaxis(x, -1, 1).astype(int) + 128).astype(np.uint8)
        (found,) = session.run(None, {graph.inputs[0].name: np.ascontiguousarray(shifted)})
        (name,) = graph.outputs
        expected = interpret(graph, {graph.inputs[0].name: x})[name]
        assert np.abs(found.astype(int) - 128 - expected).max() <= 2


def test_codes_that_are_read_can_be_written(tmp_path: Path) -> None:
    """A .tflite file that netgen has written is read as the same network."""
    find_package("ai_edge_litert")
    graph, given = coded(moves, "codes")
    file = tmp_path / "moves.tflite"
    file.write_bytes(exported(graph, "tflite"))
    again = load(str(file))
    for x in given:
        found = interpret(again, {again.inputs[0].name: x})[again.outputs[0]]
        expected = interpret(graph, {graph.inputs[0].name: x})[graph.outputs[0]]
        assert np.array_equal(found.ravel(), expected.ravel())


@network
def resized() -> Tensor:
    """An operator that has no mapping."""
    return resize_bilinear(image(4, 4, 1), (8, 8))


def test_codes_of_two_bytes(tmp_path: Path) -> None:
    find_package("ai_edge_litert")
    text = """netgen 1
      graph wide {
        %x : i16[1,2,3,4] {scale=0x1p-9} = input
        %m : i16[1,1,3,4] {scale=0x1p-9} = spatial_slice(%x) {first=(1, 0), size=(1, 3)}
        %y : f32[1,1,3,4] = dequantize(%m)
        return %y
      }"""
    graph = parse_graph(text)[0]
    file = tmp_path / "wide.tflite"
    file.write_bytes(exported(graph, "tflite"))
    x = np.linspace(-32768, 32767, 24).astype(np.int16).reshape(1, 2, 3, 4)
    *_, found = run_litert(file, {"x": x}).values()
    assert np.array_equal(found, x[:, 1:].astype(np.float32) / 512)


def test_element_types_that_tflite_does_not_have() -> None:
    find_package("ai_edge_litert")
    halves = parse_graph("""netgen 1
      graph halves {
        %x : f16[1,2,3,4] = input
        %y : f16[1,24] = reshape(%x) {shape=(1, 24)}
        return %y
      }""")[0]
    with pytest.raises(GraphError, match=r"%x: the element type cannot be .*found float16"):
        exported(halves, "tflite")


def test_what_tflite_does_not_have() -> None:
    find_package("ai_edge_litert")
    with pytest.raises(GraphError, match=r"resize_bilinear cannot be written to a \.tflite file"):
        exported(seeded(resized), "tflite")
