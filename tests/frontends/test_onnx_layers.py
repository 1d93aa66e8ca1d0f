"""Layers with weights, read from ONNX, against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.frontends.conftest import Agree
from tests.frontends.onnx_models import Model, names

SHARED_FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@SHARED_FIXTURE
@given(
    channels=st.sampled_from([(1, 1, 3), (4, 1, 6), (6, 2, 4), (3, 3, 6), (8, 8, 8), (29, 1, 3)]),
    kernel=st.sampled_from([(1, 1), (3, 3), (2, 3)]),
    stride=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    pads=st.tuples(*[st.integers(0, 2)] * 4),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    bias=st.booleans(),
)
def test_conv(
    agree: Agree,
    channels: tuple[int, int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pads: tuple[int, ...],
    dilation: tuple[int, int],
    bias: bool,
) -> None:
    inputs, groups, outputs = channels
    model = Model({"x": (1, inputs, 7, 6)})
    operands = ["x", model.weights("w", outputs, inputs // groups, *kernel)]
    if bias:
        operands.append(model.weights("b", outputs))
    model.node("Conv", operands, ["y"], strides=stride, pads=pads, dilations=dilation, group=groups)
    depthwise = groups == inputs and groups > 1
    layer = "depthwise_conv2d" if depthwise else "conv2d"
    assert [name for name in names(agree(model)) if "conv" in name] == [layer]


@pytest.mark.parametrize("kind", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_conv_with_automatic_padding(agree: Agree, kind: str, stride: int) -> None:
    model = Model({"x": (1, 3, 8, 7)})
    inputs = ["x", model.weights("w", 4, 3, 4, 3)]
    agree(model.node("Conv", inputs, ["y"], auto_pad=kind, strides=[stride, stride]))


@pytest.mark.parametrize(
    "attributes",
    [{}, {"transB": 1}, {"transB": 1, "alpha": 0.5, "beta": 2.0}, {"alpha": -1.5}],
)
@pytest.mark.parametrize("bias", [None, (5,), (1, 5), (1,)])
def test_gemm(agree: Agree, attributes: dict[str, Any], bias: tuple[int, ...] | None) -> None:
    model = Model({"x": (1, 6)})
    shape = (5, 6) if attributes.get("transB") else (6, 5)
    inputs = ["x", model.weights("w", *shape)]
    if bias is not None:
        inputs.append(model.weights("b", *bias))
    assert names(agree(model.node("Gemm", inputs, ["y"], **attributes))) == ["linear"]


@pytest.mark.parametrize("bias", [(5,), (1, 5), (1,)])
@pytest.mark.parametrize("bias_first", [False, True])
def test_mat_mul_and_its_bias_are_one_layer(
    agree: Agree, bias: tuple[int, ...], bias_first: bool
) -> None:
    model = Model({"x": (1, 6)})
    model.node("MatMul", ["x", model.weights("w", 6, 5)], ["p"])
    operands = ["p", model.weights("b", *bias)]
    model.node("Add", operands[::-1] if bias_first else operands, ["y"])
    assert names(agree(model)) == ["linear"]


def test_layer_that_is_also_read_without_its_bias(agree: Agree) -> None:
    model = Model({"x": (1, 6)}, outputs=("p", "y"))
    model.node("MatMul", ["x", model.weights("w", 6, 5)], ["p"])
    model.node("Add", ["p", model.weights("b", 5)], ["y"])
    agree(model)


@pytest.mark.parametrize("flatten", ["Flatten", "Reshape"])
def test_flattened_image_meets_its_weights_in_place(agree: Agree, flatten: str) -> None:
    model = Model({"x": (1, 2, 5, 4)})
    model.node("Conv", ["x", model.weights("v", 3, 2, 1, 1)], ["image"])
    more = [model.constant("shape", [1, -1], "int64")] if flatten == "Reshape" else []
    model.node(flatten, ["image", *more], ["flat"])
    model.node("Gemm", ["flat", model.weights("w", 60, 7), model.weights("b", 7)], ["y"])
    assert names(agree(model)) == ["transpose", "conv2d", "reshape", "linear"]


@pytest.mark.parametrize("shape", [(1, 5), (1, 5, 3, 2)])
@pytest.mark.parametrize("opset", [11, 13, 17])
def test_batch_normalization(agree: Agree, shape: tuple[int, ...], opset: int) -> None:
    model = Model({"x": shape}, opset=opset)
    letters = [model.weights(name, 5) for name in ("g", "b", "m")]
    variance = model.constant("v", np.linspace(0.5, 2.0, 5))
    model.node("BatchNormalization", ["x", *letters, variance], ["y"], epsilon=0.01)
    assert "batch_norm" in names(agree(model))


def test_one_array_of_weights_in_two_layouts(agree: Agree) -> None:
    model = Model({"x": (1, 6)})
    shared = model.weights("w", 6, 6)
    model.node("Gemm", ["x", shared], ["p"], transB=1).node("Gemm", ["p", shared], ["q"])
    model.node("Gemm", ["q", shared], ["y"])
    graph = agree(model)
    assert len(graph.constants) == 2
