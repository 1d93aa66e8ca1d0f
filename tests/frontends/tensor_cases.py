"""Operators on tensors of any rank, as cases: functions, masks, reductions, normalisations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from netgen.weights.seeded import uniform
from tests.frontends.onnx_models import Model
from tests.frontends.operator_cases import Case, Cases, Input, case, named

IMAGE = (1, 6, 5, 4)
SOME = 1.5 + uniform("some", (6,))
LINE = uniform("line", (4,))
BATCH = (2, 6, 5, 4)
SEQUENCE = (3, 6)


def positive(model: Model, operator: str, **attributes: object) -> Model:
    """An operator on numbers above zero."""
    model.node("Abs", ["x"], ["a"]).node("Add", ["a", model.constant("low", 0.25)], ["p"])
    return model.node(operator, ["p"], ["y"], **attributes)


def powers(model: Model) -> Model:
    """An exponent that is computed."""
    return model.node("Exp", ["x"], ["e"]).node("Pow", ["x", "e"], ["y"])


def root_of(model: Model, exponent: float) -> Model:
    """A power of numbers above zero."""
    model.node("Exp", ["x"], ["e"])
    return model.node("Pow", ["e", model.constant("k", exponent)], ["y"])


def masked(model: Model, operator: str, inputs: Sequence[Input]) -> Model:
    """A mask, as floats."""
    return model.node(operator, named(model, inputs), ["m"]).node("Cast", ["m"], ["y"], to=1)


def of_masks(model: Model, operator: str, *, both: bool) -> Model:
    """An operator on one mask or two."""
    model.node("Less", ["x", model.constant("a", 0.0)], ["m"])
    model.node("Greater", ["x", model.constant("b", -0.5)], ["n"])
    model.node(operator, ["m", "n"] if both else ["m"], ["o"])
    return model.node("Cast", ["o"], ["y"], to=1)


def chosen(model: Model, *, known: bool) -> Model:
    """A choice, by a mask that is computed or known."""
    model.node("Less", ["x", model.constant("a", LINE)], ["m"])
    mask = model.constant("k", LINE > 0.0, "bool") if known else "m"
    return model.node("Where", [mask, "x", model.constant("b", SOME[:5, None])], ["y"])


def mask(operator: str, *inputs: Input, first: int = 11) -> Case:
    return Case(partial(masked, operator=operator, inputs=inputs), first=first)


def reductions(operator: str) -> list[Case]:
    """Any axes, as an attribute before opset 18 and an input since then."""
    axes_first = 13 if operator == "ReduceSum" else 18
    before = [
        case(operator, "x", axes=axes, keepdims=kept, last=axes_first - 1)
        for axes, kept in (([1], 0), ([2, -1], 1), ([0, 3], 1))
    ]
    since = [
        case(operator, "x", [1, 2], keepdims=0, shape=BATCH, first=axes_first),
        case(operator, "x", [-1], noop_with_empty_axes=1, first=axes_first),
        case(operator, "x", noop_with_empty_axes=0, keepdims=1, first=axes_first),
    ]
    return [*before, *since, case(operator, "x", shape=SEQUENCE)]


def functions(operator: str) -> list[Case]:
    return [case(operator, "x"), case(operator, "x", shape=(6,))]


FUNCTIONS = (
    *("Abs", "Ceil", "Erf", "Exp", "Floor", "Neg", "Round", "Sign", "Softplus", "Softsign"),
)

TENSORS: Cases = {
    **{operator: functions(operator) for operator in FUNCTIONS},
    "And": [Case(partial(of_masks, operator="And", both=True))],
    "ArgMin": [
        case("ArgMin", "x", axis=2),
        case("ArgMin", "x", axis=-1, keepdims=0, shape=(2, 6)),
        case("ArgMin", "x", axis=1, select_last_index=1, first=12),
    ],
    "Celu": [case("Celu", "x", first=12), case("Celu", "x", alpha=2.0, first=12)],
    "Elu": [case("Elu", "x"), case("Elu", "x", alpha=0.5)],
    "Equal": [mask("Equal", "x", "x"), mask("Equal", "x", LINE)],
    "Expand": [case("Expand", "x", [3, 1, 5, 2], shape=(1, 5, 1)), case("Expand", "x", [1])],
    "Gelu": [
        case("Gelu", "x", first=20),
        case("Gelu", "x", approximate="tanh", first=20),
        case("Gelu", "x", approximate="sigmoid", first=20, refused="an unknown form of Gelu"),
    ],
    "GlobalMaxPool": [case("GlobalMaxPool", "x"), case("GlobalMaxPool", "x", shape=(2, 6, 9))],
    "Greater": [mask("Greater", "x", LINE), mask("Greater", SOME[:5, None], "x")],
    "GreaterOrEqual": [mask("GreaterOrEqual", "x", LINE, first=12)],
    "InstanceNormalization": [
        case("InstanceNormalization", "x", SOME, SOME, epsilon=0.1),
        case("InstanceNormalization", "x", SOME, SOME, shape=(2, 6, 9)),
    ],
    "LRN": [
        case("LRN", "x", size=3),
        case("LRN", "x", size=5, alpha=0.5, beta=0.5, bias=2.0),
        case("LRN", "x", size=3, shape=(1, 6, 9), refused="only images"),
        case("LRN", "x", size=0, refused="a sum over no channels"),
    ],
    "Less": [mask("Less", "x", LINE)],
    "LessOrEqual": [mask("LessOrEqual", "x", LINE, first=12)],
    "Log": [Case(partial(positive, operator="Log"))],
    "LogSoftmax": [
        case("LogSoftmax", "x"),
        case("LogSoftmax", "x", axis=1),
        case("LogSoftmax", "x", axis=2, shape=(2, 3, 4)),
    ],
    "LpNormalization": [
        case("LpNormalization", "x", axis=1),
        case("LpNormalization", "x", p=1, shape=SEQUENCE),
        case("LpNormalization", "x", p=3, refused="only p of 1 and 2"),
    ],
    "Max": [case("Max", "x", "x", LINE), case("Max", "x", SOME[:, None, None])],
    "Mean": [case("Mean", "x", LINE, "x"), case("Mean", "x")],
    "MeanVarianceNormalization": [
        case("MeanVarianceNormalization", "x"),
        case("MeanVarianceNormalization", "x", axes=[1, -1]),
    ],
    "Min": [case("Min", "x", LINE), case("Min", LINE, "x", shape=(3, 1))],
    "Mish": [case("Mish", "x", first=18)],
    "Not": [Case(partial(of_masks, operator="Not", both=False))],
    "Or": [Case(partial(of_masks, operator="Or", both=True))],
    "Pow": [
        *(case("Pow", "x", np.float32(n)) for n in (0, 1, 2, 3, 7, 33, 40, -1, -2)),
        case("Pow", "x", np.zeros((1, 1), np.float32), shape=(3, 1)),
        *(
            case("Pow", "x", np.float32(n), refused="an exponent that is not supported")
            for n in (1025, np.inf, -np.inf, np.nan)
        ),
        case("Pow", "x", uniform("e", (4,)), refused="the exponent must be one number"),
        Case(powers, refused="the exponent must be a constant"),
        Case(partial(root_of, exponent=0.5)),
        Case(partial(root_of, exponent=-0.5)),
        Case(partial(root_of, exponent=1.25)),
    ],
    "Reciprocal": [Case(partial(positive, operator="Reciprocal"))],
    **{
        operator: reductions(operator)
        for operator in (
            *("ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMin"),
            *("ReduceProd", "ReduceSum", "ReduceSumSquare"),
        )
    },
    "ReduceLogSum": [
        Case(partial(positive, operator="ReduceLogSum", axes=[1], keepdims=0), last=17),
        Case(partial(positive, operator="ReduceLogSum", keepdims=1)),
        Case(partial(positive, operator="ReduceLogSum", noop_with_empty_axes=1), first=18),
    ],
    "Selu": [case("Selu", "x"), case("Selu", "x", alpha=1.0, gamma=2.0)],
    "Sqrt": [Case(partial(positive, operator="Sqrt"))],
    "Sum": [case("Sum", "x", LINE, "x"), case("Sum", "x")],
    "ThresholdedRelu": [
        case("ThresholdedRelu", "x"),
        case("ThresholdedRelu", "x", alpha=0.25, shape=SEQUENCE),
    ],
    "Tile": [case("Tile", "x", [1, 2, 1, 3]), case("Tile", "x", [2, 2], shape=SEQUENCE)],
    "Where": [Case(partial(chosen, known=known)) for known in (False, True)],
    "Xor": [Case(partial(of_masks, operator="Xor", both=True))],
}
