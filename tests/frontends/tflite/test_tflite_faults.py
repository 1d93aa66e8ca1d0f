"""Refusals say in one line where, what, and how to go on."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netgen
from netgen.errors import GraphError, MissingExtraError, NetgenError, UsageError, WeightsError
from netgen.frontends.tflite.faults import WITHOUT_QUANTISATION
from netgen.frontends.tflite.load import load_tflite
from tests.frontends.tflite.operator_models import (
    IMAGE,
    alone,
    concatenation,
    convolution,
    dense,
    mean,
    pad,
    pooling,
    split,
    two,
    with_integers,
)
from tests.frontends.tflite.reduced_models import gathered_at
from tests.frontends.tflite.tflite_models import RELU, TANH, VALID, Field, Model, Table

Change = Callable[[Model], object]


def tiled_constant(*times: int) -> Model:
    """A constant that is repeated, and added."""
    model = Model({"x": (4, 8)})
    model.tensor("t", (4, 8))
    model.node("TILE", [model.weights("c", 2, 4), model.integers("n", *times)], ["t"])
    return model.node("ADD", ["x", "t"])


def refusal(folder: Path, content: bytes, kind: type[NetgenError] = GraphError) -> str:
    path = folder / "m.tflite"
    path.write_bytes(content)
    with pytest.raises(kind) as caught:
        load_tflite(path)
    text = str(caught.value)
    assert type(caught.value) is kind
    assert "\n" not in text
    assert "m.tflite" in text
    return text


def test_everything_unsupported_is_told_at_once(tmp_path: Path) -> None:
    model = Model({"x": IMAGE}, outputs=("y", "z"))
    for name in ("sine", "relu", "cosine", "y", "z"):
        model.tensor(name, IMAGE)
    model.node("SIN", ["x"], ["sine"]).node("RELU", ["sine"], ["relu"])
    model.node("COS", ["relu"], ["cosine"]).node("LOGISTIC", ["cosine"], ["y"])
    model.node("ATAN2", ["x", "x"], ["z"])
    text = refusal(tmp_path, model.content())
    assert "3 parts of the model cannot be used" in text
    assert text.endswith("3 operators are not supported: 0 SIN sine, 2 COS cosine, 4 ATAN2 z")


def test_operators_behind_one_without_a_type(tmp_path: Path) -> None:
    model = Model({"x": IMAGE}).node("SIN", ["x"], ["s"]).node("RELU", ["s"], ["y"])
    model.tensor("s", IMAGE, "bool")
    assert "1 part of the model" in refusal(tmp_path, model.content())


def test_custom_operator(tmp_path: Path) -> None:
    model = Model({"x": IMAGE}).node("CUSTOM", ["x"])
    model.codes[0].fields["CustomCode"] = "TFLite Detection\n"
    assert "CUSTOM TFLite?Detection?" in refusal(tmp_path, model.content())


def test_each_reason_is_told_once_with_all_its_operators(tmp_path: Path) -> None:
    model = Model({"x": IMAGE}, outputs=("a", "b", "c", "d"))
    for name in ("x", "a", "b", "c", "d"):
        model.codes_of(name, IMAGE, "int16", 0.5, 0)
    model.node("RELU", ["x"], ["a"]).node("SIN", ["x"], ["b"])
    model.node("RELU", ["a"], ["c"]).node("LOGISTIC", ["b"], ["d"])
    assert refusal(tmp_path, model.content()).endswith(
        ": 4 parts of the model cannot be used: "
        f"3 operators are not supported of i16; {WITHOUT_QUANTISATION}: "
        "0 RELU a, 2 RELU c, 3 LOGISTIC d; 1 operator is not supported: 1 SIN b"
    )


def test_sums_of_int16_that_litert_only_shifts(tmp_path: Path) -> None:
    model = Model({"x": IMAGE})
    for name in "xy":
        model.codes_of(name, IMAGE, "int16", 0.5, 0)
    model.node("ADD", ["x", "x"], PotScaleInt16=True)
    assert "sums of int16 that are shifted are not supported" in refusal(tmp_path, model.content())


def test_integers_without_a_scale_are_not_quantised(tmp_path: Path) -> None:
    model = Model({"x": IMAGE})
    model.tensor("x", IMAGE, "int32")
    model.tensor("y", IMAGE, "int32")
    text = refusal(tmp_path, model.node("RELU", ["x"]).content())
    assert text.endswith("1 operator is supported in floats only, found i32: 0 RELU y")


def test_weights_of_an_element_type_that_is_none_of_theirs(tmp_path: Path) -> None:
    """One reason is told once, with all operators that have it."""
    model = Model({"x": IMAGE}, outputs=("y", "z"))
    model.constant("w", np.ones((6, 1, 1, 6)), "int16")
    for start, end in (("x", "y"), ("y", "z")):
        model.tensor(end, IMAGE)
        model.node("CONV_2D", [start, "w"], [end], Padding=VALID, StrideH=1, StrideW=1)
    assert refusal(tmp_path, model.content(), WeightsError).endswith(
        "the weights have an element type that is not supported, expected float32, float16 behind "
        "DEQUANTIZE, or codes of one byte, found int16: operators 0 CONV_2D y, 1 CONV_2D z"
    )


def test_weights_that_are_not_finite(tmp_path: Path) -> None:
    model = Model({"x": IMAGE})
    model.constant("c", np.array([np.inf] * 6))
    model.node("ADD", ["x", "c"])
    assert "not finite" in refusal(tmp_path, model.content(), WeightsError)


@pytest.mark.parametrize(
    ("model", "part"),
    [
        (convolution(act=TANH), "the fused activation TANH is not supported"),
        (convolution(act=77), "the fused activation 77"),
        (convolution(padding=2), "an unknown padding"),
        (convolution(stride=(0, 1)), "the stride"),
        (convolution(dilation=(-1, 1)), "the dilation"),
        (convolution(weights=(5, 3, 3, 4)), "the weights do not fit"),
        (convolution(shape=(5000, 1, 1, 6)), "a batch of more images than netgen writes out"),
        (gathered_at((0, 9)), "an index outside the tensor"),
        (gathered_at((0, -1)), "an index outside the tensor"),
        (gathered_at((0, 0, 0, 0, 0)), "indices that are no places of the tensor"),
        (pooling("MAX_POOL_2D", (-2, 2), (1, 1), VALID), "the window"),
        (dense((1, 12), 5, 7), "the operand does not fit the weights"),
        (dense((1, 3, 4, 2), 5, 8, keep=True), "the last axis does not fit"),
        (concatenation(3, IMAGE, (1, 9, 7, 6)), "differ in other axes"),
        (concatenation(4, IMAGE), "there is no such axis"),
        (concatenation(3, IMAGE, IMAGE, act=RELU), "an activation fused into it"),
        (mean(IMAGE, 4), "there is no such axis"),
        (pad(IMAGE, (0, 0), (0, -1), (0, 0), (0, 0)), "a padding that cannot be"),
        (pad(IMAGE, (0, 0), (0, 2**31 - 1), (0, 0), (0, 0)), "too large"),
        (pad(IMAGE, (0, 0), (0, 1), (0, 0), (0, 1), value=1.0), "that of rows and columns"),
        (pad(IMAGE, (0, 0), (0, 1), (0, 0), (0, 0), value=np.inf), "a frame of no float32"),
        (split(IMAGE, 3, 4), "the parts are not equal"),
        (two("ADD", b=(1, 9, 8, 5)), "operands whose shapes do not fit"),
        (with_integers("RESHAPE", IMAGE, (1, 7, -1)), "another number of elements"),
        (with_integers("RESHAPE", IMAGE, (-1, -1)), "another number of elements"),
        (with_integers("BROADCAST_TO", IMAGE, (-1, 9, 8, 6)), "a shape that does not fit"),
        (with_integers("BROADCAST_TO", (1, 3), (0, 3)), "a shape that does not fit"),
        (with_integers("TILE", IMAGE, (1, -1, 1, -1)), "a number of repeats for every axis"),
        (with_integers("SLICE", IMAGE, (0, 0, 0, 0), (1, 9, 8, 7)), "leaves the tensor"),
        (with_integers("TRANSPOSE", IMAGE, (0, 1, 2, 2)), "every axis once"),
        (with_integers("BROADCAST_TO", (1, 8, 6), (1, -1, 6)), "a shape that does not fit"),
        (with_integers("BROADCAST_TO", (1, 8, 6), (1, 0, 6)), "a shape that does not fit"),
        (with_integers("BROADCAST_TO", (1, 8, 6), (1, 1, 6)), "a shape that does not fit"),
        (with_integers("BROADCAST_TO", (1, 8, 6), (1, 7, 6)), "shapes do not fit"),
        (tiled_constant(-(2**30), 1), "a constant of a negative number of elements"),
        (with_integers("EXPAND_DIMS", IMAGE, (6,)), "there is no such axis"),
        (alone("LEAKY_RELU", Alpha=float("nan")), "Alpha is not finite"),
        (Model({"x": IMAGE}).node("SQUEEZE", ["x"], SqueezeDims=[1]), "only axes of extent 1"),
        (Model({"x": IMAGE}).node("DENSIFY", ["x"]), "supported between constants only"),
        (Model({"x": IMAGE}).node("IF", ["x"]), "IF"),
    ],
)  # fmt: skip
def test_operators_that_cannot_be(tmp_path: Path, model: Model, part: str) -> None:
    text = refusal(tmp_path, model.content())
    assert part in text
    assert re.search(r"\b0 [A-Z]", text)


def test_options_that_are_missing_or_of_another_operator(tmp_path: Path) -> None:
    model = convolution()
    model.operators[0].fields["BuiltinOptionsType"] = 11
    assert "its options are missing" in refusal(tmp_path, model.content())
    del model.operators[0].fields["BuiltinOptions"]
    assert "its options are missing" in refusal(tmp_path, model.content())


def of_tensor(name: str, **fields: Field) -> Change:
    return lambda model: model.tensors[model.places([name])[0]].fields.update(fields)


def of_operator(index: int, **fields: Field) -> Change:
    return lambda model: model.operators[index].fields.update(fields)


def indices(*numbers: int) -> np.ndarray[Any, Any]:
    return np.array(numbers, np.int32)


def scales(numbers: list[float], zeros: list[int], axis: int = 0) -> Table:
    fields = {
        "Scale": np.array(numbers, np.float32),
        "ZeroPoint": np.array(zeros, np.int64),
        "QuantizedDimension": axis,
    }
    return Table("QuantizationParameters", fields)


# Of the model x -> RELU -> r -> ADD of c -> y.
@pytest.mark.parametrize(
    ("change", "part"),
    [
        (of_operator(0, Inputs=indices(9)), "Inputs name a tensor that is not there"),
        (of_operator(0, Inputs=indices(-2)), "Inputs name a tensor that is not there"),
        (of_operator(0, Outputs=indices(-1)), "Outputs name a tensor that is not there"),
        (of_operator(0, Outputs=indices()), "no result, or one result twice"),
        (of_operator(0, Outputs=indices(1, 1)), "no result, or one result twice"),
        (of_operator(0, Outputs=indices(0)), "a result that is there already"),
        (of_operator(0, Outputs=indices(2)), "a result that is there already"),
        (of_operator(1, Outputs=indices(1)), "a result that is there already"),
        (of_operator(0, Inputs=indices(1)), "r is read before an operator makes it"),
        (of_operator(0, Inputs=indices(3)), "y is read before an operator makes it"),
        (of_operator(0, OpcodeIndex=7), "operator 0 has no code"),
        (of_tensor("x", Shape=indices(1, -4)), "has an empty dimension"),
        (of_tensor("x", Shape=indices(1, 0)), "an input that is a constant"),
        (of_tensor("x", Shape=indices(1, 2**31 - 1)), "is too large"),
        (of_tensor("x", Shape=indices(*[1] * 33)), "a tensor of too many axes"),
        (of_tensor("x", Shape=indices()), "an input without a shape"),
        (of_tensor("x", ShapeSignature=indices(1, -1)), "axis 1 is open"),
        (of_tensor("x", Buffer=9), "a tensor names a buffer that is not there"),
        (of_tensor("x", Type=5), "STRING"),
        (of_tensor("x", Type=99), "element type 99"),
        (of_tensor("y", Type=9), "the result has another element type"),
        (of_tensor("x", Type=9, Quantization=scales([-1.0], [0])), "no positive number"),
        (of_tensor("x", Type=9, Quantization=scales([1.0], [2**40])), "the zero point is no i8"),
        (of_tensor("x", Type=9, Quantization=scales([1.0], [0, 0])), "number of zero points"),
        (of_tensor("x", Type=9, Quantization=scales([1.0] * 2, [0, 1])), "several zero points"),
        (of_tensor("x", Type=9, Quantization=scales([1.0] * 2, [0] * 2, 1)), "another shape"),
        (of_tensor("x", Type=9, Quantization=scales([1.0] * 4, [0] * 4, -1)), "another shape"),
        (lambda model: model.codes.clear(), "operator 0 has no code"),
        (lambda model: model.tensors.clear(), "name a tensor that is not there"),
        (lambda model: model.operators.clear(), "an output that no operator makes"),
    ],
)  # fmt: skip
def test_files_that_lie(tmp_path: Path, change: Change, part: str) -> None:
    model = Model({"x": (1, 4)})
    model.tensor("r", (1, 4))
    model.constant("c", np.ones(4))
    model.node("RELU", ["x"], ["r"]).node("ADD", ["r", "c"])
    root = model.root()
    change(model)
    assert part in refusal(tmp_path, root.encode())


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"Shape": indices(5)}, "expected 20 bytes for the shape [5], found 16"),
        ({"Shape": indices(-4)}, "damaged or incomplete"),
        ({"Shape": indices(*[2**31 - 1] * 9)}, "damaged or incomplete"),
        ({"Shape": indices(0)}, "damaged or incomplete"),
        ({"Type": 5}, "an element type that netgen does not read"),
        ({"Type": 2}, "expected float32"),
        ({"Sparsity": Table("SparsityParameters")}, "sparse"),
    ],
)
def test_constants_that_lie(tmp_path: Path, fields: dict[str, Any], part: str) -> None:
    model = Model({"x": (1, 4)})
    model.constant("c", np.ones(4))
    of_tensor("c", **fields)(model)
    text = refusal(tmp_path, model.node("ADD", ["x", "c"]).content(), WeightsError)
    assert part in text


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"Version": 2}, "another version of the schema"),
        ({"Subgraphs": []}, "no subgraph"),
        ({"Buffers": [Table("Buffer", {"Offset": 4096, "Size": 16})]}, "behind the FlatBuffer"),
    ],
)
def test_models_that_cannot_be(tmp_path: Path, fields: dict[str, Any], part: str) -> None:
    root = alone("RELU").root()
    root.fields.update(fields)
    assert part in refusal(tmp_path, root.encode())


def test_no_outputs(tmp_path: Path) -> None:
    assert "no output" in refusal(tmp_path, Model({"x": IMAGE}, outputs=()).content())


@pytest.mark.parametrize(
    "content", [b"", b"TFL3", b"\0" * 64, b"\xff" * 4 + b"TFL3" + b"\xff" * 64]
)
def test_no_model_at_all(tmp_path: Path, content: bytes) -> None:
    assert "TensorFlow Lite file" in refusal(tmp_path, content)


def test_names_in_a_message_are_short_and_of_one_line(tmp_path: Path) -> None:
    model = Model({"x": IMAGE}).node("SIN", ["x"])
    of_tensor("y", Name="a\nb\x1b" + "é" * 5000)(model)
    text = refusal(tmp_path, model.content())
    assert "a?b?" in text
    assert len(text) < 500


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_tflite(tmp_path / "none.tflite")


def test_a_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tflite", None)
    with pytest.raises(MissingExtraError, match="install it with: pip install tflite"):
        load_tflite(tmp_path / "m.tflite")


def test_options_for_networks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(alone("RELU").content())
    with pytest.raises(UsageError, match=r"a \.tflite file has its weights"):
        netgen.load(str(path), alpha=0.5)
    assert netgen.load(str(path)).outputs == ("y",)
