"""Elementwise operators read from ONNX, against ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from netgen.errors import GraphError
from netgen.kernels.targets import find_target
from netgen.ops.leaky_relu import LeakyRelu
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.execute.interpreter import execute
from tests.frontends.conftest import Agree, Load
from tests.frontends.onnx_models import Model, names

IMAGE = (1, 6, 3, 4)
LARGEST = float(np.finfo(np.float32).max)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        *(("Relu", "relu"), ("Sigmoid", "sigmoid"), ("HardSwish", "hard_swish")),
        ("LeakyRelu", "leaky_relu"),
    ],
)
@pytest.mark.parametrize("shape", [IMAGE, (1, 6), (1, 2, 3, 4, 5), (1,)])
def test_activation_of_any_rank(
    agree: Agree, operator: str, expected: str, shape: Sequence[int]
) -> None:
    model = Model({"x": shape}).node(operator, ["x"], ["y"])
    assert names(agree(model)) == [expected]


@pytest.mark.parametrize("alpha", [None, 0.01, 0.25, 0.0, -1.5])
def test_slope_of_a_leaky_relu(agree: Agree, alpha: float | None) -> None:
    given = {} if alpha is None else {"alpha": alpha}
    graph = agree(Model({"x": IMAGE}).node("LeakyRelu", ["x"], ["y"], **given))
    (op,) = (node.op for node in graph.activations if isinstance(node.op, LeakyRelu))
    assert np.float32(op.alpha) == np.float32(0.01 if alpha is None else alpha)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 6.0, ["relu6"]),
        (0.0, None, ["relu"]),
        (0.0, LARGEST, ["relu"]),
        (0.0, np.inf, ["relu"]),
        (None, None, []),
    ],
)
def test_clip(agree: Agree, low: float | None, high: float | None, expected: list[str]) -> None:
    model = Model({"x": IMAGE})
    limits = ["" if v is None else model.constant(n, v) for n, v in (("low", low), ("high", high))]
    model.node("Clip", ["x", *limits], ["c"]).node("Relu", ["c"], ["y"])
    assert names(agree(model)) == [*expected, "relu"]


@pytest.mark.parametrize(("low", "high"), [(-1.0, 2.0), (None, 0.5), (0.25, None)])
def test_clip_to_other_limits(agree: Agree, low: float | None, high: float | None) -> None:
    model = Model({"x": IMAGE})
    limits = ["" if v is None else model.constant(n, v) for n, v in (("low", low), ("high", high))]
    assert names(agree(model.node("Clip", ["x", *limits], ["y"]))) == ["clip"]


@pytest.mark.parametrize(("alpha", "beta"), [(1 / 6, 0.5), (1 / 6, 0.25), (0.2, 0.5), (0.25, 0.25)])
def test_hard_sigmoid(agree: Agree, alpha: float, beta: float) -> None:
    model = Model({"x": IMAGE}).node("HardSigmoid", ["x"], ["y"], alpha=alpha, beta=beta)
    own = (alpha, beta) == (1 / 6, 0.5)
    assert names(agree(model)) == (["hard_sigmoid"] if own else ["batch_norm", "hard_sigmoid"])


@pytest.mark.parametrize("gate_first", [False, True])
def test_hard_swish_in_two_parts(agree: Agree, gate_first: bool) -> None:
    model = Model({"x": IMAGE}, opset=13).node("HardSigmoid", ["x"], ["g"], alpha=1 / 6)
    model.node("Mul", ["g", "x"] if gate_first else ["x", "g"], ["y"])
    assert names(agree(model)) == ["hard_swish"]


def written_out(model: Model, shift: float = 3.0) -> Model:
    """c = clip(x + shift, 0, 6), as exporters write what their opset lacks."""
    model.node("Add", ["x", model.constant("shift", shift)], ["s"])
    limits = [model.constant("zero", 0.0), model.constant("six", 6.0)]
    return model.node("Clip", ["s", *limits], ["c"])


@pytest.mark.parametrize("order", ["product first", "division first", "factor first"])
def test_hard_swish_written_out(agree: Agree, order: str) -> None:
    model = written_out(Model({"x": IMAGE}, opset=13))
    if order == "division first":
        model.node("Div", ["c", "six"], ["g"]).node("Mul", ["g", "x"], ["y"])
    else:
        model.node("Mul", ["x", "c"], ["p"])
        sixth = model.constant("sixth", np.full((6, 1, 1), 1 / 6))
        end = ("Mul", [sixth, "p"]) if order == "factor first" else ("Div", ["p", "six"])
        model.node(*end, ["y"])
    assert names(agree(model)) == ["hard_swish"]


def test_hard_swish_written_out_does_not_overflow(load: Load) -> None:
    model = written_out(Model({"x": (1, 4)}, opset=13)).node("Mul", ["x", "c"], ["p"])
    graph = load(model.node("Div", ["p", "six"], ["y"]))
    plan = build_plan(run_pipeline(graph), find_target("generic"))
    x = np.array([[3e38, LARGEST, -LARGEST, 1.0]], np.float32)
    found = execute(plan, run_pipeline(graph), {"x": x})["y"]
    np.testing.assert_allclose(found, [[3e38, LARGEST, 0.0, 2 / 3]], rtol=1e-7)


def test_hard_sigmoid_written_out(agree: Agree) -> None:
    model = written_out(Model({"x": IMAGE})).node("Div", ["c", "six"], ["y"])
    assert names(agree(model)) == ["hard_sigmoid"]


@pytest.mark.parametrize(
    ("shift", "divisor", "other"), [(2.5, "six", "x"), (3.0, "shift", "x"), (3.0, "six", "s")]
)
def test_formulas_that_are_no_hard_swish(
    agree: Agree, shift: float, divisor: str, other: str
) -> None:
    model = written_out(Model({"x": IMAGE}), shift).node("Mul", [other, "c"], ["p"])
    found = names(agree(model.node("Div", ["p", divisor], ["y"])))
    assert "mul" in found
    assert "hard_swish" not in found


def test_gate_that_was_turned_makes_no_hard_swish(agree: Agree) -> None:
    model = Model({"x": (1, 2, 3, 3)}).node("HardSigmoid", ["x"], ["g"], alpha=1 / 6)
    model.node("Transpose", ["g"], ["t"], perm=[0, 1, 3, 2]).node("Mul", ["x", "t"], ["y"])
    assert "mul" in names(agree(model))


@pytest.mark.parametrize("opset", [11, 13])
@pytest.mark.parametrize(("shape", "axis"), [((1, 7), 1), ((1, 7), -1), ((1, 5, 1, 1), 1)])
def test_softmax(agree: Agree, opset: int, shape: Sequence[int], axis: int) -> None:
    model = Model({"x": shape}, opset=opset).node("Softmax", ["x"], ["y"], axis=axis)
    assert "softmax" in names(agree(model))


@pytest.mark.parametrize("opset", [12, 13])
@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_softmax_along_any_axis(agree: Agree, opset: int, axis: int) -> None:
    agree(Model({"x": IMAGE}, opset=opset).node("Softmax", ["x"], ["y"], axis=axis))


@pytest.mark.parametrize("operator", ["Add", "Mul"])
@pytest.mark.parametrize(
    ("a", "b"), [(IMAGE, IMAGE), ((1, 6), (1, 6)), (IMAGE, (1, 6, 1, 1)), ((1, 6, 1, 1), IMAGE)]
)
def test_two_tensors(agree: Agree, operator: str, a: Sequence[int], b: Sequence[int]) -> None:
    model = Model({"a": a, "b": b}).node(operator, ["a", "b"], ["y"])
    assert operator.lower() in names(agree(model))


def test_two_tensors_that_lie_differently(agree: Agree) -> None:
    model = Model({"a": (1, 4, 3, 2), "b": (1, 3, 2, 4)})
    model.node("Transpose", ["b"], ["c"], perm=[0, 3, 1, 2]).node("Add", ["a", "c"], ["y"])
    assert names(agree(model)).count("add") == 1


def test_one_tensor_twice(agree: Agree) -> None:
    assert names(agree(Model({"x": IMAGE}).node("Add", ["x", "x"], ["y"]))) == ["add"]


@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("shape", [(), (1,), (6, 1, 1), (1, 6, 1, 1), IMAGE])
@pytest.mark.parametrize("constant_first", [False, True])
def test_arithmetic_with_a_constant(
    agree: Agree, operator: str, shape: tuple[int, ...], constant_first: bool
) -> None:
    model = Model({"x": IMAGE})
    values = 1.5 + np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape) / 10
    # Quotients by numbers near zero are far apart.
    model.node("Exp" if operator == "Div" else "Identity", ["x"], ["e"])
    operands = ["e", model.constant("k", values)]
    model.node(operator, operands[::-1] if constant_first else operands, ["y"])
    each = shape == IMAGE or (operator == "Div" and constant_first)
    assert ("batch_norm" in names(agree(model))) is not each


@pytest.mark.parametrize("shape", [(1, 1, 3, 4), (4,), (3, 1), (6, 1, 4)])
def test_constants_along_any_axes(agree: Agree, shape: tuple[int, ...]) -> None:
    model = Model({"x": IMAGE})
    found = names(agree(model.node("Mul", ["x", model.weights("k", *shape)], ["y"])))
    # What lies last is the file's last axis here.
    assert found == (["batch_norm"] if shape == (4,) else ["mul"])


def test_constants_that_fit_nowhere_are_refused(load: Load) -> None:
    model = Model({"x": IMAGE})
    model.node("Mul", ["x", model.weights("k", 1, 1, 3, 5)], ["y"])
    with pytest.raises(GraphError, match="operands whose shapes do not fit"):
        load(model)
