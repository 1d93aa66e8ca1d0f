"""Every operator that is read computes what LiteRT's reference kernels compute of the file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netgen.compiler import lower, resolve_target
from netgen.errors import MissingExtraError
from netgen.export.litert_session import run_litert
from netgen.frontends.tflite.fold import FOLDS
from netgen.frontends.tflite.load import load_tflite
from netgen.frontends.tflite.operators import MAPPINGS
from netgen.frontends.tflite.parts import FileTensor, Scales
from netgen.frontends.tflite.schema import CUSTOM_OPTIONS
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array
from netgen.ops.conv2d import Conv2d
from netgen.runtime.compare import relative_error, seeded_inputs
from tests.frontends.tflite.operator_cases import CASES, OPERATORS, Build
from tests.frontends.tflite.operator_models import (
    IMAGE,
    channels_first,
    dilated,
    flatten_by_shape,
    gated_by_hard_sigmoid,
    half_weights,
    hard_swish_written_out,
    padded_convolution,
    shuffle,
)
from tests.frontends.tflite.reduced_cases import UNJUDGED
from tests.frontends.tflite.tflite_models import Model
from tests.tools import find_package

BY_NUMPY: dict[str, Callable[[Array], Array]] = {
    "CEIL": np.ceil,
    "ELU": lambda x: np.where(x < 0, np.expm1(x), x),
    "ROUND": np.rint,
}
# Rows and columns around an image that is dealt to four.
BORDERS = ((0, 1), (0, 0))


def read(folder: Path, model: Model) -> Graph:
    path = folder / "m.tflite"
    path.write_bytes(model.content())
    return load_tflite(path)


def test_every_operator_has_cases() -> None:
    assert set(OPERATORS) == set(MAPPINGS) - set(CUSTOM_OPTIONS)
    assert set(FOLDS) - set(MAPPINGS) == {"DENSIFY", "FILL", "REDUCE_PROD"}


@pytest.mark.parametrize(("name", "build"), CASES)
def test_all_values_are_those_of_litert(tmp_path: Path, name: str, build: Build) -> None:
    find_package("ai_edge_litert")
    graph = read(tmp_path, build())
    inputs = {
        name: 2 * array if array.dtype.kind == "f" else array
        for name, array in seeded_inputs(graph).items()
    }
    operator = name.partition("-")[0]
    if operator in UNJUDGED:
        expected = {"y": BY_NUMPY[operator](inputs["x"])}
    else:
        expected = run_litert(tmp_path / "m.tflite", inputs)
    found = interpret(graph, inputs)
    assert set(graph.outputs) <= set(expected)
    for value, array in expected.items():
        assert found[value].shape == array.shape
        if array.dtype.kind == "f":
            assert relative_error(found[value], array) <= 2e-6, (name, value)
        else:
            np.testing.assert_array_equal(found[value], array, err_msg=f"{name} {value}")


@pytest.mark.parametrize(("name", "build"), CASES)
def test_all_are_planned(tmp_path: Path, name: str, build: Build) -> None:
    lowered = lower(read(tmp_path, build()), resolve_target("generic"))
    assert lowered.plan.outputs, name


def operators(folder: Path, model: Model) -> list[str]:
    """Operators that are left after the passes."""
    lowered = lower(read(folder, model), resolve_target("generic"))
    return [node.op.operator_name for node in lowered.graph.activations]


def test_padding_becomes_that_of_the_convolution(tmp_path: Path) -> None:
    lowered = lower(read(tmp_path, padded_convolution()), resolve_target("generic"))
    (node,) = lowered.graph.activations
    assert isinstance(node.op, Conv2d)
    assert node.op.pad == (1, 2, 0, 1)


@pytest.mark.parametrize(
    ("build", "left"),
    [
        (shuffle, ["channel_map"]),
        (flatten_by_shape, ["reshape"]),
        (half_weights, ["conv2d"]),
        (lambda: dilated("CONV_2D", (2, 2), BORDERS, BORDERS), ["conv2d"]),
        (hard_swish_written_out, ["hard_swish"]),
        (gated_by_hard_sigmoid, ["hard_swish"]),
    ],
)
def test_what_is_written_out_is_one_operator(tmp_path: Path, build: Build, left: list[str]) -> None:
    assert operators(tmp_path, build()) == left


def test_a_body_of_channels_first_has_no_transposition(tmp_path: Path) -> None:
    found = operators(tmp_path, channels_first())
    assert "transpose" not in found


def test_names_are_those_of_the_tensors(tmp_path: Path) -> None:
    model = Model({"in/put": (1, 4)}, outputs=("a;b", "end"))
    model.tensor("a-b", (1, 4)).fields["Name"] = "layer/Relu;layer/other"
    model.tensor("c", (1, 4)).fields["Name"] = "layer/Relu"
    model.tensor("a;b", (1, 4))
    model.node("RELU", ["in/put"], ["a-b"]).node("RELU6", ["a-b"], ["c"])
    model.node("LOGISTIC", ["c"], ["a;b"]).node("RELU", ["a;b"], ["end"])
    graph = read(tmp_path, model)
    assert [node.name for node in graph.nodes] == [
        "in.put", "layer.Relu", "layer.Relu_2", "a", "end",
    ]  # fmt: skip
    assert graph.outputs == ("a", "end")


def test_one_value_for_an_output_that_is_listed_twice(tmp_path: Path) -> None:
    graph = read(tmp_path, Model({"x": (1, 4)}, outputs=("y", "y")).node("RELU", ["x"]))
    found = interpret(graph, {"x": np.array([[-1.0, 0.0, 1.0, 2.0]])})
    assert graph.outputs == ("y", "y")
    assert found["y"].tolist() == [[0.0, 0.0, 1.0, 2.0]]


def test_an_open_batch_is_one(tmp_path: Path) -> None:
    model = Model({"x": (1, 4)})
    model.tensor("x", (1, 4), ShapeSignature=np.array([-1, 4], np.int32))
    assert read(tmp_path, model.node("RELU", ["x"])).inputs[0].type.shape == (1, 4)


def test_an_output_that_is_an_input(tmp_path: Path) -> None:
    graph = read(tmp_path, Model({"x": (1, 4)}, outputs=("x", "y")).node("RELU", ["x"]))
    found = interpret(graph, {"x": np.array([[-1.0, 0.0, 1.0, 2.0]])})
    assert [found[name].tolist() for name in graph.outputs] == [
        [[-1.0, 0.0, 1.0, 2.0]],
        [[0.0, 0.0, 1.0, 2.0]],
    ]


@pytest.mark.parametrize("kind", ["int8", "uint8"])
@pytest.mark.parametrize("axes", [(1, 2), (3,), (1, 2, 3)])
@pytest.mark.parametrize("scales", [(0.02, 5, 0.02, 5), (0.02, 5, 0.01, 7), (0.01, 0, 0.05, 9)])
def test_means_of_codes_are_exact(
    tmp_path: Path, kind: str, axes: tuple[int, ...], scales: tuple[float, int, float, int]
) -> None:
    find_package("ai_edge_litert")
    model = Model({"x": IMAGE})
    model.codes_of("x", IMAGE, kind, *scales[:2])
    model.codes_of("y", (1, 1, 1, 6), kind, *scales[2:])
    model.node("MEAN", ["x", model.integers("axes", *axes)], KeepDims=True)
    graph = read(tmp_path, model)
    inputs = seeded_inputs(graph)
    expected = run_litert(tmp_path / "m.tflite", inputs)
    assert np.array_equal(interpret(graph, inputs)["y"], expected["y"])


def test_an_input_that_nothing_reads(tmp_path: Path) -> None:
    graph = read(tmp_path, Model({"x": (1, 4), "unread": (1, 3)}).node("RELU", ["x"]))
    inputs = seeded_inputs(graph)
    assert [node.name for node in graph.inputs] == ["x", "unread"]
    find_package("ai_edge_litert")
    assert np.array_equal(
        run_litert(tmp_path / "m.tflite", inputs)["y"], np.maximum(inputs["x"], 0)
    )


def test_the_judge_and_its_reader_are_asked_for_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(tmp_path, Model({"x": (1, 4)}).node("RELU", ["x"]))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingExtraError, match=r"pip install tflite ai-edge-litert$"):
        run_litert(tmp_path / "m.tflite", {})


def test_types_of_codes() -> None:
    along = Scales((0.5, 0.25, 2.0), (0, 0, 0), 1)
    model = FileTensor("w", "w", "INT8", (4, 3), (), None, along)
    assert str(model.type()) == "i8[4,3] {scale=@w.scale, axis=1}"
    one = replace(model, scales=Scales((0.5,), (7,), 1), element="UINT8")
    assert str(one.type()) == "u8[4,3] {scale=0x1p-1, zero=7}"
    assert str(replace(one, scales=None, element="INT32").type()) == "i32[4,3]"
    assert str(replace(one, scales=None).type()) == "u8[4,3] {scale=0x1p+0}"
