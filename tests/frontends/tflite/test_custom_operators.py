"""Operators of MediaPipe: LiteRT judges them by its own that compute the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netgen.errors import GraphError
from netgen.export.litert_session import run_litert
from netgen.frontends.tflite.load import load_tflite
from netgen.ir.interpret import interpret
from netgen.runtime.compare import relative_error, seeded_inputs
from tests.frontends.tflite.tflite_models import SAME, VALID, Model
from tests.tools import find_package


def transposed(size: int, stride: tuple[int, int], padding: int, shape: tuple[int, ...]) -> Model:
    """TRANSPOSE_CONV of an image of 5 x 4 to one of this shape."""
    model = Model({"x": (1, 5, 4, 3)})
    inputs = ["x", model.weights("w", 2, size, size, 3), model.weights("b", 2)]
    to = model.integers("to", *shape)
    model.node(
        "TRANSPOSE_CONV", [to, inputs[1], "x", inputs[2]], Padding=padding, StrideH=stride[0],
        StrideW=stride[1],
    )  # fmt: skip
    model.codes[-1].fields["Version"] = 3
    return model


def of_mediapipe(size: int, options: tuple[int, ...]) -> Model:
    """The same by MediaPipe's operator; options are padding, columns, rows of a step, and more."""
    model = Model({"x": (1, 5, 4, 3)})
    model.node("CUSTOM", ["x", model.weights("w", 2, size, size, 3), model.weights("b", 2)])
    model.codes[-1].fields["CustomCode"] = "Convolution2DTransposeBias"
    content = np.array(options, np.int32).view(np.uint8)
    model.operators[-1].fields["CustomOptions"] = content
    return model


@pytest.mark.parametrize(
    ("size", "stride", "padding", "shape"),
    [
        (2, (2, 2), SAME, (1, 9, 8, 2)),
        (3, (2, 2), SAME, (1, 9, 8, 2)),
        (4, (2, 3), SAME, (1, 9, 10, 2)),
        (3, (2, 1), VALID, (1, 11, 6, 2)),
    ],
)
def test_a_transposed_convolution_with_a_bias(
    tmp_path: Path, size: int, stride: tuple[int, int], padding: int, shape: tuple[int, ...]
) -> None:
    find_package("ai_edge_litert")
    path, peer = tmp_path / "m.tflite", tmp_path / "peer.tflite"
    path.write_bytes(of_mediapipe(size, (padding + 1, stride[1], stride[0], 0, 0)).content())
    peer.write_bytes(transposed(size, stride, padding, shape).content())
    graph = load_tflite(path)
    inputs = seeded_inputs(graph)
    expected, found = run_litert(peer, inputs)["y"], interpret(graph, inputs)["y"]
    assert found.shape == shape
    assert relative_error(found, expected) <= 2e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((1, 2), "its options are missing"),
        ((3, 2, 2), "an unknown padding"),
        ((1, 0, 2), "the stride"),
    ],
)
def test_damaged_options(tmp_path: Path, options: tuple[int, ...], message: str) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(of_mediapipe(3, options).content())
    with pytest.raises(GraphError, match=message):
        load_tflite(path)
