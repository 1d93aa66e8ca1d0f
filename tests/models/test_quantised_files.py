"""Real quantised files: every code of every output, and of every layer, is the reference's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

import netgen
from netgen.export.tflm_session import TFLM
from netgen.frontends.tflite.load import load_tflite
from netgen.ir.tensor_type import Array
from netgen.kernels.targets import TARGETS
from netgen.plan.data.options import DEFAULT, Image, PlanOptions
from netgen.plan.pareto import pareto
from netgen.report.verify import verify_graph
from netgen.runtime.cpu import native_target
from tests.models.quantised_files import FILES, JUDGED, quantised_file
from tests.tools import find_package, require_processor

pytestmark = pytest.mark.usefixtures("as_users_compile")

# TensorFlow Lite Micro computes with no uint8.
OF_INT8 = tuple(stem for stem in JUDGED if not stem.endswith("v1_0.25_128_quant"))
HERE = ("generic", *(target.name for target in TARGETS if target.name.startswith("x86")))


def differing(path: Path, target: str, inputs: Array, expected: Array) -> int:
    """The number of codes of the outputs that differ."""
    model = netgen.compile(netgen.load(str(path)), target=target)
    found = np.stack([np.asarray(model(x)).reshape(-1) for x in inputs])
    return int((found != expected.reshape(len(found), -1)).sum())


@pytest.mark.heavy
@pytest.mark.parametrize("target", HERE)
@pytest.mark.parametrize("stem", FILES)
def test_every_output_of_every_input(shared_data: Path, stem: str, target: str) -> None:
    require_processor(target)
    file = quantised_file(shared_data, stem)
    assert differing(file.path, target, file.inputs, file.expected) == 0


@pytest.mark.parametrize("stem", ["mlperf_tiny/kws_ref_model"])
def test_some_outputs(shared_data: Path, stem: str) -> None:
    file = quantised_file(shared_data, stem)
    assert differing(file.path, "native", file.inputs[:20], file.expected[:20]) == 0


def ways(path: Path) -> list[PlanOptions]:
    """Whole layers, threads, and of each table of arenas and times both ends and the middle."""
    graph, target = load_tflite(path), native_target()
    places: tuple[Image, ...] = "caller", "arena"
    tables = [(place, pareto(graph, target, place)) for place in places]
    plans = [
        PlanOptions(ram=point.arena_bytes, input=place)
        for place, table in tables
        for point in {0: table[0], 1: table[len(table) // 2], 2: table[-1]}.values()
    ]
    return [DEFAULT, PlanOptions(threads=2), *plans]


@pytest.mark.heavy
@pytest.mark.parametrize("stem", JUDGED)
def test_every_layer_of_plans_of_all_sizes(shared_data: Path, stem: str) -> None:
    find_package("ai_edge_litert")
    path = shared_data / f"{stem}.tflite"
    for planning in ways(path):
        found = verify_graph(load_tflite(path), "native", "tflite", None, planning, path)
        assert found.codes is not None
        assert found.codes.count == 0, planning
        assert found.codes.total > 1000


def refused_by_litert(data: Path) -> Path:
    """A file whose weights have an axis of scales that LiteRT refuses."""
    return data / "person_detect/person_detect.tflite"


@pytest.mark.heavy
@pytest.mark.parametrize("target", HERE)
def test_person_detect(shared_data: Path, target: str) -> None:
    find_package("tflite_micro")
    require_processor(target)
    path = refused_by_litert(shared_data)
    graph = netgen.load(str(path), profile="tflm")
    model, judge = netgen.compile(graph, target=target), TFLM(path)
    for photo in ("person", "no_person"):
        codes = np.asarray(Picture.open(path.with_name(f"{photo}.bmp")).convert("L")).view(np.int8)
        (expected,) = (
            array
            for name, array in judge.run({graph.inputs[0].name: codes}).items()
            if name == graph.outputs[0]
        )
        np.testing.assert_array_equal(np.asarray(model(codes[..., None])).ravel(), expected.ravel())


@pytest.mark.heavy
@pytest.mark.parametrize("stem", ["person_detect/person_detect", *OF_INT8])
def test_every_layer_as_tensorflow_lite_micro(shared_data: Path, stem: str) -> None:
    find_package("tflite_micro")
    path = shared_data / f"{stem}.tflite"
    graph = netgen.load(str(path), profile="tflm")
    found = verify_graph(graph, "native", "tflm", None, DEFAULT, path)
    assert found.codes is not None
    assert found.codes.count == 0
