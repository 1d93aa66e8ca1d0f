"""Both networks, at several multipliers, on every target: C against NumPy and ONNX Runtime."""

from __future__ import annotations

from typing import Any

import pytest

import netgen
from netgen.report.verify import TOLERANCES, verify_graph
from tests.cases import heavy
from tests.tools import require_processor

pytestmark = pytest.mark.usefixtures("as_users_compile")

TARGETS = ("generic", "x86-64-v2", "x86-64-v3", "x86-64-v4")
Parameters = dict[str, Any]

SMALL: list[tuple[str, Parameters]] = [
    ("mobilenet_v1", {"alpha": 0.25, "input_size": 33, "classes": 10}),
    ("mobilenet_v2", {"alpha": 0.35, "input_size": 40, "classes": 7}),
]
LARGE: list[tuple[str, Parameters]] = [
    ("mobilenet_v1", {"alpha": 0.5, "input_size": 128, "padding": "torch"}),
    ("mobilenet_v1", {"alpha": 0.75, "input_size": 65, "input_channels": 1, "classes": 2}),
    ("mobilenet_v1", {}),
    ("mobilenet_v2", {"alpha": 0.5, "input_size": 96, "batch_norm": False}),
    ("mobilenet_v2", {"alpha": 1.4, "input_size": 75, "padding": "tensorflow"}),
    ("mobilenet_v2", {}),
]


def check_numpy(name: str, parameters: Parameters, target: str) -> None:
    require_processor(target)
    graph = netgen.load(name, **parameters)
    comparison = verify_graph(graph, target, "numpy")
    assert 0.0 < comparison.max_relative_error < 1e-5
    layers = {layer.name: layer.max_relative_error for layer in comparison.layers}
    # Every convolution and the classifier; sums and activations are part of them.
    convolutions = [n for n in graph.activations if "conv2d" in n.op.operator_name]
    assert len(layers) == len(convolutions) + 2
    assert max(layers.values()) < 1e-5


def check_onnxruntime(name: str, parameters: Parameters) -> None:
    comparison = verify_graph(netgen.load(name, **parameters), "native", "onnxruntime")
    assert 0.0 < comparison.max_relative_error < 1e-4
    assert len(comparison.layers) > 20
    assert max(layer.max_relative_error for layer in comparison.layers) < 1e-4


def test_tolerances() -> None:
    assert TOLERANCES == {"numpy": 1e-5, "onnxruntime": 1e-4, "tflite": 1e-5, "tflm": 1e-5}


# One in vectors; ONNX Runtime judges the other, and `generic` has the tests of firmware and CLI.
@pytest.mark.parametrize(
    ("name", "parameters", "target"),
    [
        pytest.param(*case, target, marks=[pytest.mark.heavy] * ((n, m) != (1, 2)))
        for n, case in enumerate(SMALL)
        for m, target in enumerate(TARGETS)
    ],
)
def test_small_against_numpy(name: str, parameters: Parameters, target: str) -> None:
    check_numpy(name, parameters, target)


@pytest.mark.parametrize(("name", "parameters"), [SMALL[0], heavy(*SMALL[1])])
def test_small_against_onnxruntime(name: str, parameters: Parameters) -> None:
    check_onnxruntime(name, parameters)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "parameters", "target"),
    [
        (*case, target)
        for n, case in enumerate(LARGE)
        for m, target in enumerate(TARGETS)
        if (n + m) % 2 == 0
    ],
)
def test_large_against_numpy(name: str, parameters: Parameters, target: str) -> None:
    check_numpy(name, parameters, target)


@pytest.mark.heavy
@pytest.mark.parametrize(("name", "parameters"), LARGE)
def test_large_against_onnxruntime(name: str, parameters: Parameters) -> None:
    check_onnxruntime(name, parameters)
