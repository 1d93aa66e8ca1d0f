"""Networks as real files are made: all codes are those of LiteRT and TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.errors import GraphError
from netgen.export.litert_session import LiteRT
from netgen.export.tflite_judge import TFLiteJudge
from netgen.export.tflm_session import TFLM
from netgen.frontends.tflite.load import load_tflite
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array
from netgen.runtime.compare import relative_error, seeded_inputs
from tests.cases import heavy
from tests.frontends.tflite.code_models import merged
from tests.frontends.tflite.network_builder import written
from tests.frontends.tflite.network_models import NETWORKS
from tests.frontends.tflite.tflite_models import Model
from tests.tools import find_package

# Operators that are read of floats only, or of int8; what TensorFlow Lite Micro does not run.
_FLOATS, _SIGNED = {"style", "embedding"}, {"functions"}
_LITERT_ONLY = {*_FLOATS, *_SIGNED, "segmentation"}
# The most telling kind of each is judged always, in NumPy; the others where there is time.
_HALVES, _BYTES = {"palm", "selfie"}, {"detector", "inception", "mobilenet_v1"}
_COMPILED = ("mobilenet_v3", "segmentation", "selfie")
_KINDS = ("float32", "float16", "int8", "uint8")


def agree(found: Array, expected: Array, what: str) -> None:
    """Codes are equal, and floats within the rounding of another order of sums."""
    if expected.dtype.kind == "f":
        assert relative_error(found.reshape(expected.shape), expected) <= 1e-5, what
    else:
        np.testing.assert_array_equal(found.reshape(-1), expected.reshape(-1), err_msg=what)


def judged(
    folder: Path, name: str, kind: str, judge: type[TFLiteJudge] = LiteRT
) -> tuple[Graph, dict[str, Array], dict[str, Array]]:
    """A network, inputs, and what a judge makes of them; each value of NumPy's is that, too."""
    path = folder / f"{name}.tflite"
    path.write_bytes(written(NETWORKS[name], kind).content())
    graph = load_tflite(path, judge.profile)
    inputs = seeded_inputs(graph)
    expected, found = judge(path).run(inputs), interpret(graph, inputs)
    assert set(graph.outputs) <= set(expected)
    for value, array in expected.items():
        agree(found[value], array, f"{name} {kind} {value}")
    return graph, inputs, {value: expected[value] for value in graph.outputs}


def check_c(folder: Path, names: tuple[str, ...], kind: str, target: str) -> None:
    """Networks of one kind in one program: its outputs are LiteRT's."""
    models = [judged(folder, name, kind) for name in names]
    model = netgen.compile(merged([graph for graph, _, _ in models]), target=target)
    found = model(*(inputs[node.name][0] for graph, inputs, _ in models for node in graph.inputs))
    outputs = [each for _, _, values in models for each in values.items()]
    for array, (name, expected) in zip(found, outputs, strict=True):
        agree(array, expected, name)


def kinds_of(name: str) -> tuple[str, ...]:
    """The kinds of a network that are read: the one that is judged always, then the others."""
    if name in _FLOATS:
        return ("float32", "float16")
    first = "float16" if name in _HALVES else "uint8" if name in _BYTES else "int8"
    rest = tuple(kind for kind in _KINDS if kind != first)
    return (first, *(kind for kind in rest if kind != "uint8" or name not in _SIGNED))


ALWAYS = [(name, kinds_of(name)[0]) for name in NETWORKS]
LATER = [heavy(name, kind) for name in NETWORKS for kind in kinds_of(name)[1:]]


@pytest.mark.parametrize(("name", "kind"), [*ALWAYS, *LATER])
def test_every_value_is_that_of_litert(tmp_path: Path, name: str, kind: str) -> None:
    find_package("ai_edge_litert")
    judged(tmp_path, name, kind)


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - _LITERT_ONLY))
def test_every_code_is_that_of_tensorflow_lite_micro(tmp_path: Path, name: str) -> None:
    find_package("ai_edge_litert")
    find_package("tflite_micro")
    judged(tmp_path, name, "int8", TFLM)


def test_the_c_of_some_networks(tmp_path: Path) -> None:
    find_package("ai_edge_litert")
    check_c(tmp_path, _COMPILED, "int8", "generic")


def test_codes_that_tensorflow_lite_micro_does_not_rescale(tmp_path: Path) -> None:
    model, path = Model({"x": (1, 4)}), tmp_path / "m.tflite"
    model.codes_of("x", (1, 4), "int8", 0.1, 3)
    model.codes_of("y", (1, 4), "int8", 0.025, -128)
    path.write_bytes(model.node("RELU6", ["x"]).content())
    assert load_tflite(path).outputs == ("y",)
    with pytest.raises(
        GraphError, match=r"does not rescale codes; give -p profile=litert: 0 RELU6"
    ):
        load_tflite(path, "tflm")


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        heavy(kind, target)
        for kind in ("float16", "int8", "uint8")
        for target in ("generic", "native")
    ],
)
def test_the_c_of_all_networks(tmp_path: Path, kind: str, target: str) -> None:
    find_package("ai_edge_litert")
    check_c(tmp_path, tuple(name for name in NETWORKS if kind in kinds_of(name)), kind, target)
