"""Real float files of TensorFlow Lite, judged by outputs and layers of its reference kernels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netgen import compile as compiled
from netgen.compiler import lower
from netgen.frontends.tflite.load import load_tflite
from netgen.ir.interpret import interpret
from netgen.kernels.targets import find_target
from netgen.plan.data.options import PlanOptions
from netgen.report.verify import verify_graph
from netgen.runtime.compare import relative_error
from tests.cases import heavy
from tests.tools import find_package

pytestmark = pytest.mark.usefixtures("as_users_compile")

FLOAT = (
    "mlperf_tiny/pretrainedResnet.tflite",
    heavy("mlperf_tiny/vww_96_float.tflite"),
    heavy("tflite_models/face_detection_short_range.tflite"),
)
LARGEST_ERROR = 1e-5


@pytest.mark.parametrize("file", FLOAT)
def test_every_layer_is_that_of_the_reference(shared_data: Path, file: str) -> None:
    find_package("ai_edge_litert")
    path = shared_data / file
    comparison = verify_graph(load_tflite(path), "generic", "tflite", file=path)
    assert comparison.max_relative_error <= LARGEST_ERROR
    assert len(comparison.layers) > 10
    assert max(layer.max_relative_error for layer in comparison.layers) <= LARGEST_ERROR


@pytest.mark.parametrize(
    ("file", "dtype"),
    [
        ("mlperf_tiny/vww_96_int8.tflite", "i8"),
        heavy("mlperf_tiny/pretrainedResnet_quant.tflite", "i8"),
        heavy("tflite_models/mobilenet_v2_1.0_224_ptq.tflite", "u8"),
    ],
)
def test_bytes_into_the_first_layer(shared_data: Path, file: str, dtype: str) -> None:
    """No step stands between the bytes of the image and its first convolution."""
    find_package("ai_edge_litert")
    path, planning = shared_data / file, PlanOptions(input_type="u8")
    graph = load_tflite(path)
    assert graph.inputs[0].type.dtype == dtype
    plan = lower(graph, find_target("generic"), planning).plan
    assert plan.values[plan.inputs[0]].type.dtype == "u8"
    assert plan.steps[0].op.operator_name == "conv2d"
    comparison = verify_graph(graph, "native", "tflite", planning=planning, file=path)
    assert comparison.codes is not None
    assert comparison.codes.count == 0
    assert len(comparison.layers) > 10


def test_faces_in_a_photo(shared_data: Path) -> None:
    """BlazeFace: weights of float16, paddings of channels, two outputs."""
    folder = shared_data / "tflite_models"
    graph = load_tflite(folder / "face_detection_short_range.tflite")
    with np.load(folder / "face_detection_short_range_expected_tflite_ref.npz") as expected:
        found = interpret(graph, {"input": expected["x0"]})
        for name in ("regressors", "classificators"):
            assert relative_error(found[name][0], expected[name][0]) <= LARGEST_ERROR


def test_pictures_of_cifar(shared_data: Path) -> None:
    folder = shared_data / "mlperf_tiny"
    model = compiled(load_tflite(folder / "pretrainedResnet.tflite"), target="generic")
    with (
        np.load(shared_data / "cifar10" / "cifar10_dev_1000.npz") as pictures,
        np.load(folder / "pretrainedResnet_expected_tflite_ref.npz") as expected,
    ):
        for picture, scores in zip(pictures["x"][:20], expected["y"], strict=False):
            (found,) = model.run(picture.astype(np.float32))
            assert relative_error(found, scores) <= LARGEST_ERROR


def test_every_file_is_read(shared_data: Path) -> None:
    files = sorted(shared_data.glob("*/*.tflite"))
    assert len(files) >= 11
    for path in files:
        graph = load_tflite(path)
        assert graph.outputs, path.name
