"""Operators on activations, as cases."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from netgen.weights.seeded import uniform
from tests.frontends.code_cases import CODED
from tests.frontends.cut_cases import CUTS
from tests.frontends.onnx_models import Model
from tests.frontends.operator_cases import Case, Cases, case
from tests.frontends.resize_cases import RESIZED
from tests.frontends.tensor_cases import TENSORS

SOME = 1.5 + uniform("some", (6,))
PARAMETERS = (SOME, SOME, SOME, SOME)
W = uniform("w", (4, 6, 3, 2))
IMAGE = (1, 6, 5, 4)
VECTOR = (1, 6)
WINDOW: dict[str, Any] = {"kernel_shape": [3, 2], "strides": [2, 1]}


def shape_of(model: Model, operator: str, **attributes: int) -> Model:
    """A reshape to what an operator says of the shape, and to whatever is left."""
    model.node(operator, ["x"], ["s"], **attributes)
    one, rest = (model.constant(name, [n], "int64") for name, n in (("one", 1), ("rest", -1)))
    model.node("Reshape", ["s", rest], ["r"]).node("Concat", [one, "r", rest], ["t"], axis=0)
    return model.node("Reshape", ["x", "t"], ["y"])


LAYERS: Cases = {
    **RESIZED,
    **TENSORS,
    **CUTS,
    "Add": [
        case("Add", "x", "x"),
        case("Add", "x", SOME.reshape(6, 1, 1)),
        case("Add", SOME, "x", shape=VECTOR),
        case("Add", "x", uniform("k", IMAGE)),
        case("Add", "x", uniform("k", (5, 4))),
        case("Add", "x", uniform("k", (3, 4)), refused="operands whose shapes do not fit"),
    ],
    "ArgMax": [
        case("ArgMax", "x", axis=1),
        case("ArgMax", "x", axis=-3, keepdims=0),
        case("ArgMax", "x", axis=-1, shape=VECTOR),
        case("ArgMax", "x", shape=(3, 6)),
        case("ArgMax", "x", axis=1, select_last_index=1, first=12),
    ],
    "AveragePool": [
        case("AveragePool", "x", **WINDOW, pads=[1, 1, 2, 0]),
        case("AveragePool", "x", **WINDOW, pads=[1, 1, 2, 0], count_include_pad=1),
        case("AveragePool", "x", **WINDOW, pads=[1, 1, 1, 0], count_include_pad=1, ceil_mode=1),
        case("AveragePool", "x", **WINDOW, ceil_mode=1),
        *(
            case("AveragePool", "x", **WINDOW, auto_pad=kind, count_include_pad=counted)
            for kind in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
            for counted in (0, 1)
        ),
        case("AveragePool", "x", kernel_shape=[5, 4]),
        case("AveragePool", "x", **WINDOW, dilations=[1, 1], first=19),
        case("AveragePool", "x", **WINDOW, dilations=[2, 1], first=19, refused="with dilation"),
        case("AveragePool", "x", kernel_shape=[3], strides=[2], pads=[1, 0], shape=(1, 6, 9)),
        case("AveragePool", "x", kernel_shape=[2] * 3, shape=(1, 6, 4, 4, 4), refused="three axes"),
        case(
            "AveragePool",
            "x",
            kernel_shape=[1, 1],
            strides=[3, 1],
            auto_pad="SAME_UPPER",
            shape=(1, 6, 6, 4),
            refused="leave out more than the last pixel",
        ),
        case(
            "AveragePool",
            "x",
            kernel_shape=[1, 1],
            strides=[2, 1],
            auto_pad="SAME_UPPER",
            shape=(1, 6, 5, 4),
        ),
    ],
    "BatchNormalization": [
        case("BatchNormalization", "x", *PARAMETERS, epsilon=0.1, momentum=0.5),
        case("BatchNormalization", "x", *PARAMETERS, shape=VECTOR),
        case("BatchNormalization", "x", *PARAMETERS, shape=(2, 6, 4)),
        case("BatchNormalization", "x", *PARAMETERS[1:], -SOME, refused="no positive sum"),
        case(
            "BatchNormalization",
            "x",
            *PARAMETERS,
            outputs="yabcd",
            last=13,
            refused="training mode.*expected one output, found 5 outputs; export the model in ev",
        ),
        case("BatchNormalization", "x", *PARAMETERS, training_mode=0, first=14),
        case(
            "BatchNormalization",
            "x",
            *PARAMETERS,
            training_mode=1,
            outputs="yab",
            first=14,
            refused="training mode.*expected training_mode 0, found 1; export the model in eval",
        ),
    ],
    "Cast": [
        case("Cast", "x", to=1),
        case("Cast", "x", to=6, refused="activations are cast, expected floats throughout"),
        case("Cast", "x", to=1, saturate=1, first=19),
        case("Cast", "x", to=1, round_mode="up", first=24),
    ],
    "Clip": [
        case("Clip", "x"),
        case("Clip", "x", np.float32(0), np.float32(6)),
        case("Clip", "x", np.float32(0)),
        case("Clip", "x", "", np.float32(0.25)),
        case("Clip", "x", np.float32(-1), np.float32(1)),
        case("Clip", "x", np.float32(-1), np.float32(2)),
        case("Clip", "x", np.float32(0.5), np.float32(0)),
        case("Clip", "x", np.float32("nan"), refused="limits must be numbers.* found nan..inf"),
        case("Clip", "x", np.float32(0), np.float32("nan"), refused="limits must be numbers"),
    ],
    "Concat": [
        case("Concat", "x", "x", axis=1),
        case("Concat", "x", axis=-3),
        case("Concat", "x", "x", axis=2),
        case("Concat", "x", "x", axis=0, shape=(2, 3, 4)),
        case("Concat", "x", uniform("k", IMAGE), axis=1),
    ],
    "Conv": [
        case("Conv", "x", W, kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 2, 1]),
        case("Conv", "x", W, SOME[:4], dilations=[2, 3]),
        case("Conv", "x", W[:, :2], group=2, refused="the weights do not fit"),
        case("Conv", "x", uniform("w", (6, 2, 3, 2)), group=3),
        case("Conv", "x", uniform("w", (12, 1, 2, 2)), group=6, auto_pad="NOTSET"),
        *(case("Conv", "x", W, auto_pad=kind) for kind in ("VALID", "SAME_UPPER", "SAME_LOWER")),
        case(
            "Conv",
            "x",
            W[:, :, :1, :1],
            strides=[2, 3],
            auto_pad="SAME_UPPER",
            shape=(1, 6, 6, 6),
            refused="leave out more than the last pixel",
        ),
        case("Conv", "x", W[..., 0], strides=[2], pads=[1, 2], shape=(1, 6, 9)),
        case("Conv", "x", W, SOME[:4], shape=(3, 6, 5, 4)),
        case("Conv", "x", W[..., None], shape=(1, 6, 4, 4, 4), refused="over three axes"),
        case("Conv", "x", "x", refused="W must be a constant"),
    ],
    "Div": [
        case("Div", "x", SOME.reshape(6, 1, 1)),
        case("Div", "x", 0.5 * np.ones(())),
        case("Div", SOME, "x", shape=VECTOR),
        case("Div", "x", "x"),
        case("Div", "x", np.zeros(1)),
    ],
    "Dropout": [
        case("Dropout", "x"),
        case("Dropout", "x", outputs="ym"),
        case("Dropout", "x", outputs="ym", read="ym", refused="only the first output"),
        case("Dropout", "x", ratio=0.25, last=11),
        case("Dropout", "x", np.float32(0.5), np.array(False), seed=7, first=12),
        case("Dropout", "x", np.float32(0.5), np.array(True), first=12, refused="training mode"),
    ],
    "Flatten": [case("Flatten", "x", axis=axis) for axis in (0, 1, 2, 4, -1, -4)]
    + [case("Flatten", "x", axis=5, refused="no such axis")],
    "Gather": [
        case("Gather", "x", [0, -1, 3], axis=1),
        case("Gather", "x", [0, -1, 3], axis=-1, shape=VECTOR),
        case("Gather", "x", [0, 2, 4, 3, 3], axis=2),
        case("Gather", "x", np.array(2), axis=1),
        case("Gather", "x", np.array([[0, 1], [2, 0]]), shape=(3, 2)),
        case("Gather", "x", [0.0, 1.0], axis=1, refused="indices must be a list of places"),
    ],
    "Gemm": [
        case("Gemm", "x", W[:, :, 0, 0], SOME[:4], transB=1, alpha=0.5, beta=-2.0, shape=VECTOR),
        *(
            case("Gemm", "x", W[:, :, 0, 0].T, uniform("c", shape), shape=VECTOR)
            for shape in ((), (1,), (4,), (1, 1), (1, 4))
        ),
        case("Gemm", "x", W[:, :, 0, 0].T, SOME[:3, None], beta=0.5, shape=(3, 6)),
        case("Gemm", "x", "x", transB=1, alpha=0.5, shape=(3, 6)),
        case("Gemm", "x", W[:3, :, 0, 0], transA=1, shape=(3, 2)),
        case("Gemm", "x", W[:, :, 0, 0].T, alpha=float("nan"), shape=VECTOR, refused="not finite"),
    ],
    "GlobalAveragePool": [
        case("GlobalAveragePool", "x"),
        case("GlobalAveragePool", "x", shape=(2, 6, 9)),
    ],
    "HardSigmoid": [
        case("HardSigmoid", "x"),
        case("HardSigmoid", "x", alpha=0.5, beta=0.25),
        case("HardSigmoid", "x", beta=float("nan"), refused="beta is not finite"),
    ],
    "HardSwish": [case("HardSwish", "x")],
    "Identity": [case("Identity", "x")],
    "LeakyRelu": [
        case("LeakyRelu", "x"),
        case("LeakyRelu", "x", alpha=0.25),
        case("LeakyRelu", "x", alpha=-1.5),
        case("LeakyRelu", "x", alpha=float("inf"), refused="alpha is not finite"),
    ],
    "MatMul": [
        case("MatMul", "x", W[:, :, 0, 0].T, shape=VECTOR),
        case("MatMul", "x", W[:, :, 0, 0].T, shape=(1, 1, 6)),
        case("MatMul", "x", SOME, shape=VECTOR),
        case("MatMul", "x", W[:, :, 0, 0].T, shape=(2, 5, 6)),
        case("MatMul", "x", "x", shape=(2, 3, 3)),
        case("MatMul", W[:, :1, 0, 0], "x", shape=VECTOR),
    ],
    "MaxPool": [
        case("MaxPool", "x", **WINDOW, pads=[1, 1, 2, 0]),
        case("MaxPool", "x", **WINDOW, pads=[1, 1, 1, 0], ceil_mode=1),
        *(case("MaxPool", "x", **WINDOW, auto_pad=kind) for kind in ("SAME_UPPER", "SAME_LOWER")),
        case("MaxPool", "x", **WINDOW, storage_order=1, outputs="yi"),
        case("MaxPool", "x", **WINDOW, outputs="yi", read="yi", refused="only the first output"),
        case("MaxPool", "x", **WINDOW, dilations=[1, 2], refused="with dilation"),
        case("MaxPool", "x", **WINDOW, dilations=[1, 1]),
    ],
    "Mul": [
        case("Mul", "x", "x"),
        case("Mul", "x", SOME.reshape(1, 6, 1, 1)),
        case("Mul", "x", uniform("k", IMAGE)),
    ],
    "PRelu": [
        case("PRelu", "x", SOME.reshape(6, 1, 1) / 4),
        case("PRelu", "x", np.array([0.25], np.float32)),
        case("PRelu", "x", uniform("k", IMAGE)),
        case("PRelu", "x", SOME / 4, shape=VECTOR),
        case("PRelu", "x", "x"),
        case("PRelu", "x", SOME[:3].reshape(3, 1, 1), refused="operands whose shapes do not fit"),
    ],
    "Pad": [
        case("Pad", "x", [0, 2, 1, 0, 0, 0, 0, 3]),
        case("Pad", "x", [0, 0, 1, 1] * 2, np.float32(0), mode="constant"),
        case("Pad", "x", [0, 0, 1, 1] * 2, np.float32(-1.5)),
        case("Pad", "x", [0, 0, 4, 0, 0, 0, 2, 3], mode="reflect"),
        case("Pad", "x", [0, 1, 1, 1] * 2, np.float32(1)),
        *(
            case("Pad", "x", [0, 2, 1, 1] * 2, mode=mode, first=first)
            for mode, first in (("edge", 11), ("reflect", 11), ("wrap", 19))
        ),
        case("Pad", "x", [0, 0, -1, 2] * 2),
        case("Pad", "x", [0, 0, -3, 0] * 2, refused="nothing is left"),
        case("Pad", "x", [1, 0, 0, 0] * 2),
        case("Pad", "x", [1, 2, 0, 1], "", [3, -2], first=18),
        case("Pad", "x", [1, 2, 0, 1], "", [3, -1], first=18, refused="an axis stands twice"),
    ],
    "ReduceMean": [
        *(case("ReduceMean", "x", axes=[2, -1], keepdims=kept, last=17) for kept in (0, 1)),
        *(case("ReduceMean", "x", [3, 2], keepdims=kept, first=18) for kept in (0, 1)),
        case("ReduceMean", "x", axes=[1], last=17),
        case("ReduceMean", "x"),
        case("ReduceMean", "x", noop_with_empty_axes=0, first=18),
        case("ReduceMean", "x", noop_with_empty_axes=1, first=18),
        case("ReduceMean", "x", [2, 3], noop_with_empty_axes=1, first=18),
    ],
    "Relu": [case("Relu", "x")],
    "Reshape": [
        case("Reshape", "x", [0, 3, -1]),
        case("Reshape", "x", [1, -1], allowzero=1, first=14),
        case("Reshape", "x", [0, -1], allowzero=1, first=14, refused="another number of elements"),
        case("Reshape", "x", [-1, -1], refused="another number of elements"),
        case("Reshape", "x", [7, -1], refused="another number of elements"),
        case("Reshape", "x", [1.0, 120.0], refused="shape is no list of integers"),
    ],
    "Shape": [
        Case(partial(shape_of, operator="Shape")),
        Case(partial(shape_of, operator="Shape", start=1, end=-1), first=15),
        Case(partial(shape_of, operator="Shape", start=-2, end=9), first=15),
    ],
    "Sigmoid": [case("Sigmoid", "x")],
    "Size": [Case(partial(shape_of, operator="Size"))],
    "Softmax": [
        case("Softmax", "x", shape=VECTOR),
        case("Softmax", "x", axis=-1, shape=VECTOR),
        case("Softmax", "x", axis=1, first=13),
        case("Softmax", "x", axis=1, shape=(1, 6, 1, 1)),
        case("Softmax", "x", shape=(1, 6, 1, 1), last=12),
        case("Softmax", "x", first=13),
        case("Softmax", "x", axis=1, last=12),
    ],
    **CODED,
    "Squeeze": [
        case("Squeeze", "x", axes=[3, -2], shape=(1, 6, 1, 1), last=12),
        case("Squeeze", "x", [3, -2], shape=(1, 6, 1, 1), first=13),
        case("Squeeze", "x", shape=(1, 6, 1, 2)),
        case("Squeeze", "x", axes=[1], last=12, refused="only axes of extent 1"),
        case("Squeeze", "x", np.zeros(0, np.int64), first=13, refused="list of axes is empty"),
    ],
    "Sub": [
        case("Sub", "x", SOME.reshape(6, 1, 1)),
        case("Sub", SOME, "x", shape=VECTOR),
        case("Sub", "x", "x"),
    ],
    "Tanh": [case("Tanh", "x")],
    "Transpose": [case("Transpose", "x"), case("Transpose", "x", perm=[0, 2, 3, 1])],
    "Unsqueeze": [
        case("Unsqueeze", "x", axes=[0, -1], shape=VECTOR, last=12),
        case("Unsqueeze", "x", [1, -1], shape=VECTOR, first=13),
        case("Unsqueeze", "x", [1, 1], shape=VECTOR, first=13, refused="an axis stands twice"),
    ],
}
