"""Refusals of ONNX files: one line that says where, what, and how to go on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import netgen
from netgen.errors import GraphError, MissingExtraError, NetgenError, UsageError, WeightsError
from netgen.export.onnx_file import graph_to_onnx
from netgen.frontends.onnx_file import load_onnx
from netgen.ir.graph import Graph
from netgen.models import NETWORKS
from netgen.weights.seeded import seeded_weights
from tests.frontends.conftest import Agree, Load
from tests.frontends.onnx_models import Model, Shape

if TYPE_CHECKING:
    from onnx import ModelProto

IMAGE = (1, 3, 8, 8)


def message(kind: type[NetgenError], action: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        action()
    text = str(caught.value)
    assert type(caught.value) is kind
    assert "\n" not in text
    return text


def convolution(model: Model, kind: str = "float32") -> Model:
    w = model.constant("w", np.ones((4, 3, 3, 3)), kind)
    return model.node("Conv", ["x", w], ["y"])


def test_everything_unsupported_is_told_at_once(load: Load) -> None:
    model = Model({"x": IMAGE}, outputs=("y", "z"))
    model.node("Det", ["x"], ["e"], name="first/Det").node("Relu", ["e"], ["r"])
    model.node("Sin", ["r"], ["s"]).node("Conv", ["s", model.weights("w", 4, 3, 3, 3)], ["y"])
    model.node("Clip", ["x", model.constant("low", np.nan)], ["z"], name="third")
    text = message(GraphError, lambda: load(model))
    assert "3 parts of the model cannot be used" in text
    for part in ("first/Det: the operator Det", "the_Sin_of_s: the operator Sin", "third (Clip)"):
        assert part in text
    assert "Conv" not in text


def test_operator_of_another_domain(tmp_path: Path) -> None:
    from onnx.helper import make_opsetid

    proto = Model({"x": IMAGE}).node("Relu", ["x"], ["y"]).proto()
    proto.graph.node[0].domain = "com.example"
    proto.opset_import.append(make_opsetid("com.example", 1))
    path = tmp_path / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    assert "com.example.Relu" in message(GraphError, lambda: load_onnx(path))


@pytest.mark.parametrize("kind", ["float16", "float64", "int8"])
def test_weights_of_other_types(tmp_path: Path, kind: str) -> None:
    # Such a convolution is no valid ONNX either, so the checker must not be what refuses it.
    model = Model({"x": (1, 6)}).node("Identity", ["x"], ["i"])
    model.node("Mul", ["i", model.constant("w", np.ones((1, 6)))], ["y"])
    proto = model.proto()
    from onnx.numpy_helper import from_array

    proto.graph.initializer[0].CopyFrom(from_array(np.ones((1, 6), kind), "w"))
    path = tmp_path / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    if kind != "int8":
        assert load_onnx(path).outputs == ("y",)
        return
    text = message(WeightsError, lambda: load_onnx(path))
    assert "the_Mul_of_y" in text
    assert f"found {kind}" in text


def test_half_precision_model(load: Load) -> None:
    from onnx import TensorProto

    model = convolution(Model({"x": IMAGE}), "float16")
    proto = Model.proto

    def half(self: Model) -> ModelProto:
        made = proto(self)
        made.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
        made.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT16
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Model, "proto", half)
        graph = load(model)
    assert graph["x"].type.dtype == graph["y"].type.dtype == "f32"


def test_weights_that_are_not_finite(load: Load) -> None:
    model = Model({"x": (1, 2)})
    w = model.constant("w", [[1.0, np.inf], [0.0, 1.0]])
    assert "w are not finite" in message(
        WeightsError, lambda: load(model.node("Gemm", ["x", w], ["y"]))
    )


@pytest.mark.parametrize(("b", "x"), [((3,), (1, 2)), ((4,), (1, 3))])
def test_weights_that_do_not_fit(tmp_path: Path, b: tuple[int, ...], x: tuple[int, ...]) -> None:
    from onnx.numpy_helper import from_array

    model = Model({"x": (1, 2)})
    model.node("Gemm", ["x", model.weights("w", 2, 4), model.weights("b", 4)], ["y"])
    proto = model.proto()
    proto.graph.initializer[1].CopyFrom(from_array(np.ones(b, np.float32), "b"))
    proto.graph.input[0].type.tensor_type.shape.dim[1].dim_value = x[1]
    path = tmp_path / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    assert "the_Gemm_of_y (Gemm)" in message(GraphError, lambda: load_onnx(path))


def test_computed_weights(load: Load) -> None:
    for outputs in (4, 1):
        model = Model({"x": IMAGE, "w": (outputs, 3, 3, 3)}).node("Conv", ["x", "w"], ["y"])
        assert "W must be a constant" in message(GraphError, partial(load, model))


@pytest.mark.parametrize("batch", ["N", None])
def test_open_batch_is_one(agree: Agree, batch: str | None) -> None:
    graph = agree(convolution(Model({"x": (batch, 3, 8, 8)})))
    assert graph["x"].type.shape == IMAGE


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((1, 3, "height", 8), "input x: axis 2 is open, expected a number, found height; bind them by "
      "-p height=N, or --input-shape x=1,3,N,8, in Python by shapes={'x': (1,3,"),
     ((1, 3, None, None), "axes 2 and 3 are open, expected a number, found nothing, nothing; ")],
)  # fmt: skip
def test_other_inputs_are_refused(load: Load, shape: Shape, expected: str) -> None:
    text = message(GraphError, lambda: load(convolution(Model({"x": shape}))))
    assert expected in text


def test_batch_in_the_file(agree: Agree) -> None:
    graph = agree(convolution(Model({"x": (2, 3, 8, 8)})))
    assert graph["x"].type.shape == (1, 2, 3, 8, 8)


@pytest.mark.parametrize("opset", [6, 9, 10])
def test_old_opsets_are_lifted(agree: Agree, opset: int) -> None:
    assert agree(Model({"x": IMAGE}, opset=opset).node("Relu", ["x"], ["y"])).outputs == ("y",)


def test_opsets(load: Load) -> None:
    model = Model({"x": IMAGE}, opset=5).node("Relu", ["x"], ["y"], consumed_inputs=[0])
    text = message(GraphError, lambda: load(model))
    assert "expected 6 to" in text
    assert "found 5" in text


@pytest.mark.parametrize("content", [b"", b"\x00", b"not an ONNX file at all", b"\x08\x08"])
def test_files_of_other_kinds(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    assert "ONNX file" in message(GraphError, lambda: load_onnx(path))


def small_model() -> bytes:
    graph = NETWORKS["mobilenet_v1"].build(alpha=0.25, input_size=32, classes=4)
    return graph_to_onnx(graph.with_constants(seeded_weights(graph)))


def test_truncated_file(tmp_path: Path) -> None:
    content = small_model()
    path = tmp_path / "m.onnx"
    for part in (0.001, 0.1, 0.5, 0.9, 0.999):
        path.write_bytes(content[: int(len(content) * part)])
        with pytest.raises((GraphError, WeightsError)):
            load_onnx(path)


def test_damaged_file(tmp_path: Path) -> None:
    """Flipped bytes give a network or an error of netgen, nothing else."""
    content = bytearray(graph_to_onnx(tiny()))
    path = tmp_path / "m.onnx"
    draw = np.random.default_rng(1)
    refused = 0
    for _ in range(300):
        damaged = bytearray(content)
        damaged[int(draw.integers(len(content)))] = int(draw.integers(256))
        path.write_bytes(bytes(damaged))
        refused += refusal(path) is not None
    assert refused > 50


def refusal(path: Path) -> str | None:
    """The one line that says why a file is refused, None where it is not."""
    try:
        load_onnx(path)
    except NetgenError as error:
        return message(type(error), lambda: load_onnx(path))
    return None


def tiny() -> Graph:
    import netgen.ops as dsl
    from netgen.dsl.tensor import constructing, finish, image

    with constructing() as construction:
        x = dsl.relu6(dsl.batch_norm(dsl.conv2d(image(6, 6, 2), 2, 3)))
        graph = finish(construction, "tiny", (dsl.linear(dsl.flatten(x), 2),))
    return graph.with_constants(seeded_weights(graph))


def test_missing_file(tmp_path: Path) -> None:
    assert "cannot be read" in message(UsageError, lambda: load_onnx(tmp_path / "m.onnx"))
    assert "cannot be read" in message(UsageError, lambda: load_onnx(tmp_path))


def external(folder: Path) -> Path:
    import onnx

    path = folder / "m.onnx"
    model = onnx.load_model_from_string(small_model())
    onnx.save_model(
        model, str(path), save_as_external_data=True, location="m.data", size_threshold=64
    )
    return path


def test_weights_beside_the_model(tmp_path: Path) -> None:
    path = external(tmp_path)
    graph = load_onnx(path)
    inside = tmp_path / "inside.onnx"
    inside.write_bytes(small_model())
    whole = load_onnx(inside)
    assert graph.constants.keys() == whole.constants.keys()
    assert all(np.array_equal(a, whole.constants[name]) for name, a in graph.constants.items())
    assert graph.origin is not None
    assert whole.origin is not None
    assert (graph.origin.model, graph.origin.weights_file) == ("m.onnx", "m.onnx + m.data")
    assert graph.origin.weights_sha256 != whole.origin.weights_sha256


def test_weights_beside_the_model_are_missing_or_cut_off(tmp_path: Path) -> None:
    path = external(tmp_path)
    data = tmp_path / "m.data"
    content = data.read_bytes()
    data.write_bytes(content[: len(content) // 2])
    message(WeightsError, lambda: load_onnx(path))
    data.unlink()
    assert "m.data" in message(WeightsError, lambda: load_onnx(path))


def test_weights_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    import onnx

    folder = tmp_path / "models"
    folder.mkdir()
    path = external(folder)
    (folder / "m.data").rename(tmp_path / "m.data")
    model = onnx.load(str(path), load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../m.data"
    path.write_bytes(model.SerializeToString())
    message(WeightsError, lambda: load_onnx(path))


def test_without_onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"")
    for name in [name for name in sys.modules if name.split(".")[0] == "onnx"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    text = message(MissingExtraError, lambda: load_onnx(path))
    assert "pip install onnx onnxruntime" in text


def test_output_that_is_a_constant(agree: Agree) -> None:
    model = Model({"x": IMAGE}, outputs=("y", "z"))
    model.node("Identity", [model.constant("k", [1.0, 2.0])], ["y"]).node("Relu", ["x"], ["z"])
    agree(model)


def test_parameters_and_weights_do_not_go_with_it(tmp_path: Path) -> None:
    path = str(tmp_path / "m.onnx")
    load = partial(netgen.load, weights="w.npz")
    assert ".onnx file has its weights" in message(UsageError, partial(load, path))
