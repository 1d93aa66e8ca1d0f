"""Files with faults: a graph, or an error of netgen; nothing else, and not much work for it."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from netgen.errors import NetgenError
from netgen.frontends.tflite.load import load_tflite
from netgen.ir.graph import Graph
from netgen.ir.text import print_graph
from tests.cases import heavy
from tests.frontends.counted import counted
from tests.frontends.tflite.operator_cases import CASES
from tests.frontends.tflite.operator_models import alone
from tests.frontends.tflite.real_files import copied, read_table
from tests.frontends.tflite.tflite_mutations import mutant, pick, real_mutant

MUTANTS = 400
# Counting takes far longer than reading: of so many files one is watched.
WATCHED = 20


def outcome(path: Path, content: bytes, *, watched: bool = True) -> Graph | str:
    """The graph of a file, or the one line that says why there is none."""
    path.write_bytes(content)
    try:
        with warnings.catch_warnings(), counted() if watched else nullcontext():
            warnings.simplefilter("error")
            return load_tflite(path)
    except NetgenError as error:
        return str(error)


@pytest.mark.parametrize("part", [0, *(heavy(part) for part in range(1, 6))])
def test_mutated_models(tmp_path: Path, part: int) -> None:
    graphs = 0
    for seed in range(part * MUTANTS, (part + 1) * MUTANTS):
        draw = np.random.default_rng(seed)
        _, build = pick(draw, CASES)
        content = mutant(draw, build)
        result = outcome(tmp_path / "m.tflite", content, watched=not seed % WATCHED)
        graphs += isinstance(result, Graph)
        assert isinstance(result, Graph) or "\n" not in result, seed
    # Not all are faulty: most of a model is read.
    assert MUTANTS // 5 < graphs < MUTANTS // 2


REAL = (
    "mlperf_tiny/kws_ref_model.tflite",
    "mlperf_tiny/pretrainedResnet.tflite",
    "mlperf_tiny/pretrainedResnet_quant.tflite",
    "mlperf_tiny/vww_96_float.tflite",
    "mlperf_tiny/vww_96_int8.tflite",
    "mobilenet_v1_imagenet/mobilenet_v1_0.25_128_quant.tflite",
    "person_detect/person_detect.tflite",
    "tflite_models/face_detection_short_range.tflite",
    "tflite_models/okay_nabu.tflite",
)
# Three minutes of one core, together.
REAL_MUTANTS = 450


@pytest.mark.heavy
@pytest.mark.parametrize("file", REAL)
def test_mutated_real_models(shared_data: Path, tmp_path: Path, file: str) -> None:
    content = (shared_data / file).read_bytes()
    root, graphs = read_table(content), 0
    for seed in range(REAL_MUTANTS):
        draw = np.random.default_rng([len(content), seed])
        changed = real_mutant(draw, content, root)
        result = outcome(tmp_path / "m.tflite", changed, watched=not seed % (3 * WATCHED))
        graphs += isinstance(result, Graph)
        assert isinstance(result, Graph) or "\n" not in result, seed
    assert REAL_MUTANTS // 4 < graphs < REAL_MUTANTS * 4 // 5


@pytest.mark.heavy
@pytest.mark.parametrize("file", REAL)
def test_tables_of_a_real_file_are_all_there(shared_data: Path, tmp_path: Path, file: str) -> None:
    """Mutations start from the model itself."""
    content, path = (shared_data / file).read_bytes(), tmp_path / "m.tflite"
    path.write_bytes(content)
    expected = load_tflite(path)
    path.write_bytes(copied(read_table(content)).encode())
    found = load_tflite(path)
    assert print_graph(found) == print_graph(expected)
    for node in found.nodes:
        if found.is_const(node.name):
            np.testing.assert_array_equal(found.constant(node.name), expected.constant(node.name))


@pytest.mark.parametrize(
    ("table", "field", "long"),
    [
        ("Tensor", "Name", "x" * 200_000),
        ("Operator", "Inputs", np.zeros(50_000, np.int32)),
        ("OperatorCode", "CustomCode", "x" * 200_000),
    ],
)
def test_a_long_vector_that_many_places_name(
    tmp_path: Path, table: str, field: str, long: object
) -> None:
    """A file grows by four bytes for each further table that is the same one."""
    model = alone("CUSTOM")
    listed = {"Tensor": model.tensors, "Operator": model.operators, "OperatorCode": model.codes}
    listed[table][0].fields[field] = long
    listed[table].extend(listed[table][:1] * 5_000)
    content = model.content()
    assert len(content) < 500_000
    result = outcome(tmp_path / "m.tflite", content)
    assert isinstance(result, str)
    assert "larger than a model of this size needs" in result
