"""Statements of each activation about itself are true: passes, seeds and plans rely on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import pytest

from netgen.errors import GraphError
from netgen.ir.graph import Graph, Node
from netgen.ir.magnitude import ANY_NUMBER, Spread
from netgen.ir.operator import Input
from netgen.ir.registry import REGISTRY
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import ElementwiseActivation, activations, find_activation
from netgen.ops.add import Add
from netgen.ops.leaky_relu import LeakyRelu
from netgen.passes.fuse_activation import fuse_activation
from tests.meaning import meaning

KINDS = [op for op in REGISTRY if issubclass(op, ElementwiseActivation)]
EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.operator_name)

LINE = np.linspace(-20.0, 20.0, 4001)
# Equal shares of a standard normal value, for integrals.
STEPS = np.linspace(-8.0, 8.0, 200_001)
SHARES = np.exp(-(STEPS**2) / 2) / np.exp(-(STEPS**2) / 2).sum()


def line(kind: type[ElementwiseActivation]) -> Array:
    """The numbers for which there are results."""
    return LINE[kind.domain[0] <= LINE]


@EACH
def test_not_a_number_stays(kind: type[ElementwiseActivation]) -> None:
    assert np.isnan(kind().activate(np.array([np.nan]))).all()


@EACH
def test_limits_are_those_of_the_values(kind: type[ElementwiseActivation]) -> None:
    far = np.array([-1e30, 1e30])
    values = kind().activate(np.concatenate([line(kind), far[far >= kind.domain[0]]]))
    low, high = kind.limits
    assert low <= values.min() < low + 1e-6 or low == -inf
    assert high >= values.max() > high - 1e-6 or high == inf
    assert kind().value_range([ANY_NUMBER]) == kind.limits


@EACH
def test_what_is_said_to_stay_stays(kind: type[ElementwiseActivation]) -> None:
    op = kind()
    low, high = kind.unchanged or (0.0, 0.0)
    inside = LINE[(low <= LINE) & (high >= LINE)] if kind.unchanged else np.empty(0)
    assert np.array_equal(op.activate(inside), inside)
    assert op.leaves_alone((low, high)) == (kind.unchanged is not None)
    assert not op.leaves_alone((low - 1.0, high))
    if kind.unchanged:
        assert op.value_range([(low, low + 0.5)]) == (low, low + 0.5)


def mean_square(op: ElementwiseActivation, square: float) -> float:
    """The mean square of the activation of a centred normal value, by integration.

    Of its size, where there is nothing below zero.
    """
    x = STEPS * square**0.5
    values = op.activate(np.abs(x) if op.domain[0] == 0.0 else x)
    return float((np.where(np.isfinite(values), values, 0.0) ** 2 * SHARES).sum())


@EACH
def test_mean_squares(kind: type[ElementwiseActivation]) -> None:
    """Three digits where x has 1; what seeds go by is near to the truth below that, too."""
    op = kind()
    assert op.second_moment([1.0]) == pytest.approx(mean_square(op, 1.0), rel=0.005)
    for square in (0.5, 1.0):
        found = op.spread([Spread(square, 0.5)])
        assert found.square == pytest.approx(mean_square(op, square), rel=0.03)
        assert 0.5 <= found.above <= 1.0


@pytest.mark.parametrize("alpha", [-2.0, -0.5, 0.0, 0.01, 0.25, 1.0, 3.0])
def test_leaky_relu_with_any_slope(alpha: float) -> None:
    op = LeakyRelu(alpha)
    x = np.array([-8.0, -1.0, -0.0, 0.0, 1.0, np.inf])
    with np.errstate(invalid="ignore"):
        y = op.activate(x)
    assert y.tolist() == [-8.0 * alpha, -alpha, 0.0, 0.0, 1.0, np.inf]
    assert np.signbit(y[2:4]).tolist() == [True, False]
    for square in (0.5, 1.0, 9.0):
        assert op.second_moment([square]) == pytest.approx(mean_square(op, square), rel=1e-4)


@pytest.mark.parametrize("alpha", [np.nan, np.inf, -1e39])
def test_slopes_that_are_no_floats_are_refused(alpha: float) -> None:
    with pytest.raises(GraphError, match="alpha must be a finite float32, found "):
        LeakyRelu(alpha)
    assert not np.signbit(LeakyRelu(-0.0).alpha)


def test_an_act_is_the_name_of_one_without_attributes() -> None:
    assert activations()[0] == "none"
    assert find_activation("none") is None
    for kind in KINDS:
        named = not kind.has_attributes()
        assert (kind.operator_name in activations()) == named
        if named:
            assert find_activation(kind.operator_name) == kind()
    with pytest.raises(GraphError, match="unknown activation 'swish', expected one of none, "):
        find_activation("swish")


@dataclass(frozen=True)
class Scaled(ElementwiseActivation):
    """An activation with attributes."""

    operator_name = "scaled"
    squares = (0.0, 1.0)
    alpha: float = 2.0
    beta: float = 0.5

    def activate(self, x: Array) -> Array:
        return x * self.alpha + self.beta


def fused(op: ElementwiseActivation) -> Sequence[str]:
    kind = TensorType("f32", (1, 2))
    nodes = [
        Node("x", Input(), (), kind),
        Node("s", Add(), ("x", "x"), kind),
        Node("y", op, ("s",), kind),
    ]
    return [
        node.op.operator_name for node in fuse_activation(Graph("case", nodes, ["y"])).activations
    ]


def test_one_with_attributes_is_not_fused() -> None:
    assert fused(KINDS[0]()) == ["add"]
    assert fused(Scaled()) == ["add", "scaled"]
    assert Scaled(beta=1.5).arguments() == (2.0, 1.5)


@EACH
def test_elements_do_not_know_each_other(kind: type[ElementwiseActivation]) -> None:
    assert kind.same_place == {"x"}
    values = line(kind).reshape(1, -1)
    whole, half = meaning(kind(), [values]), meaning(kind(), [values[:, ::2]])
    assert np.array_equal(whole[:, ::2], half)
