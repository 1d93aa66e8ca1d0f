"""Trained networks that ONNX Runtime's quantiser has made codes of, compiled: its very outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netgen
from netgen.export.onnxruntime_session import open_session
from netgen.frontends.onnx_file import load_onnx
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array
from netgen.ops.rescaled import scale_of
from netgen.runtime.photos import normalise
from tests.quantisation.onnxruntime_static import quantised_file

CIFAR: dict[str, Any] = {"scale": 0.5, "input_size": 32, "classes": 10, "stem": "cifar"}
IMAGES = 24


def resnet20(data: Path) -> Graph:
    return netgen.load("resnet20", weights=data / "cifar10" / "resnet20-12fca82f.th")


def shufflenet_v2(data: Path) -> Graph:
    weights = data / "cifar10" / "cifar10_shufflenetv2_x0_5-1308b4e9.pt"
    return netgen.load("shufflenet_v2", weights=weights, **CIFAR)


def images_for(graph: Graph, data: Path) -> Array:
    with np.load(data / "cifar10" / "cifar10_dev_1000.npz") as file:
        pixels = file["x"][: 2 * IMAGES]
    assert graph.origin is not None
    assert graph.origin.normalisation is not None
    return normalise(pixels, graph.origin.normalisation)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("made", "form", "activations", "most"),
    [
        (resnet20, "QDQ", "QUInt8", 1),
        (shufflenet_v2, "QDQ", "QUInt8", 0),
        (shufflenet_v2, "QOperator", "QInt8", 0),
    ],
)
def test_outputs_are_those_of_onnx_runtime(
    made: Callable[[Path], Graph],
    form: str,
    activations: str,
    most: int,
    shared_data: Path,
    tmp_path: Path,
) -> None:
    """Layers are of codes, and only what is given back are floats: every number of it.

    Sums (QLinearAdd) of ONNX Runtime have factors in integers of 22 bits in the place of its own
    formula, so a few of a network that has some are the next code, at most so many steps off. Its
    products of uint8 and int8 saturate on x86 without VNNI.
    """
    floats = made(shared_data)
    images = images_for(floats, shared_data)
    path = quantised_file(floats, images[IMAGES:], tmp_path, form=form, activations=activations)
    graph = load_onnx(path)
    real = [node for node in graph.activations if node.type.element.is_float]
    assert [node.op.operator_name for node in real] == ["dequantize"]
    model, session = netgen.compile(graph), open_session(path.read_bytes())
    step = scale_of(graph[real[0].operands[0]].type)
    for image in images[:IMAGES]:
        first = np.ascontiguousarray(np.moveaxis(image, -1, 0))[None]
        (wanted,) = session.run(None, {graph.inputs[0].name: first})
        np.testing.assert_allclose(model(first), wanted, rtol=0, atol=1.01 * most * step)
