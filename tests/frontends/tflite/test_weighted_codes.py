"""Layers with weights, of codes: every code is that of LiteRT's reference kernels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.errors import WeightsError
from netgen.export.litert_session import run_litert
from netgen.export.tflm_session import TFLM
from netgen.frontends.tflite.load import load_tflite
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array
from tests.frontends.tflite.code_models import merged
from tests.frontends.tflite.weighted_models import OPERATORS, Drawn, weighted_models
from tests.frontends.tflite.wide_models import wide_models
from tests.tools import find_package

Layer = tuple[Graph, Array, Array]


def compared(folder: Path, drawn: Drawn, *, compiled: bool) -> int:
    """The number of codes of the meaning, and of the C of `generic`, that were compared."""
    path = folder / "m.tflite"
    path.write_bytes(drawn.model.content())
    graph = load_tflite(path)
    x = drawn.x.reshape(graph["x"].type.shape)  # a batch of several has an axis of 1 before it
    expected = run_litert(path, {"x": x})["y"].astype(np.int64)
    np.testing.assert_array_equal(interpret(graph, {"x": x})["y"], expected)
    if compiled:
        model = netgen.compile(graph, target="generic")
        np.testing.assert_array_equal(model(x[0]), expected[0])
    return expected.size


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_few_are_those_of_litert(tmp_path: Path, operator: str) -> None:
    find_package("ai_edge_litert")
    codes = sum(compared(tmp_path, each, compiled=True) for each in weighted_models(operator, 1, 6))
    assert codes > 100


@pytest.mark.heavy
@pytest.mark.parametrize("operator", OPERATORS)
def test_many_are_those_of_litert(
    tmp_path: Path, operator: str, drawn: Callable[[int], int]
) -> None:
    find_package("ai_edge_litert")
    codes = sum(
        compared(tmp_path, each, compiled=not number % 16)
        for number, each in enumerate(weighted_models(operator, 2, drawn(500)))
    )
    assert codes > 40 * drawn(500)


def wide_layers(folder: Path, operator: str, seed: int, count: int) -> list[Layer]:
    """Graphs of int16, their x and LiteRT's codes, which are those of the meaning."""
    path, layers = folder / "m.tflite", list[Layer]()
    for drawn in wide_models(operator, seed, count):
        path.write_bytes(drawn.model.content())
        graph = load_tflite(path)
        x = drawn.x.reshape(graph["x"].type.shape)
        expected = run_litert(path, {"x": x})["y"]
        assert expected.dtype == np.int16
        np.testing.assert_array_equal(interpret(graph, {"x": x})["y"], expected)
        layers.append((graph, x, expected))
    return layers


def check_c(layers: list[Layer], target: str) -> None:
    """The codes of one program of all these layers."""
    model = netgen.compile(merged([graph for graph, _, _ in layers]), target=target)
    found = model(*(x[0] for _, x, _ in layers))
    for y, (_, _, expected) in zip(found, layers, strict=True):
        np.testing.assert_array_equal(y.ravel(), expected.ravel())


def test_int16_by_int8(tmp_path: Path) -> None:
    find_package("ai_edge_litert")
    layers = [each for name in OPERATORS for each in wide_layers(tmp_path, name, 3, 6)]
    assert sum(expected.size for _, _, expected in layers) > 1000
    check_c(layers, "generic")


@pytest.mark.heavy
@pytest.mark.parametrize("operator", OPERATORS)
def test_many_of_int16_by_int8(tmp_path: Path, operator: str, drawn: Callable[[int], int]) -> None:
    find_package("ai_edge_litert")
    layers = wide_layers(tmp_path, operator, 4, drawn(500))
    check_c(layers[::16], "native")


@pytest.mark.parametrize("operator", OPERATORS)
def test_int16_in_tensorflow_lite_micro(tmp_path: Path, operator: str) -> None:
    find_package("tflite_micro")
    path = tmp_path / "m.tflite"
    for each in wide_models(operator, 5, 20):
        path.write_bytes(each.model.content())
        graph = load_tflite(path, "tflm")
        # It takes the shape of a result from the file.
        each.model.tensor("y", graph["y"].type.shape[-4:], "int16")
        path.write_bytes(each.model.content())
        x = each.x.reshape(graph["x"].type.shape)
        expected = TFLM(path).run({"x": x})["y"]
        np.testing.assert_array_equal(interpret(graph, {"x": x})["y"], expected)


def test_layers_of_int16_are_written_as_they_were_read(tmp_path: Path) -> None:
    find_package("ai_edge_litert")
    from netgen.export.tflite_file import graph_to_tflite

    path = tmp_path / "m.tflite"
    for operator in OPERATORS:
        (graph, x, expected), *_ = wide_layers(tmp_path, operator, 6, 1)
        path.write_bytes(graph_to_tflite(graph))
        again = load_tflite(path)
        inputs = {again.inputs[0].name: x}
        for found in (interpret(again, inputs), run_litert(path, inputs)):
            np.testing.assert_array_equal(found[again.outputs[0]].ravel(), expected.ravel())


def test_a_bias_that_int16_does_not_have(tmp_path: Path) -> None:
    drawn = next(wide_models("CONV_2D", 3, 1))
    bias = drawn.model.buffers[-1].fields["Data"]
    bias.view(np.int64)[0] = 2**40
    path = tmp_path / "m.tflite"
    path.write_bytes(drawn.model.content())
    with pytest.raises(WeightsError, match="int64, of numbers that fit into 32 bits"):
        load_tflite(path)
