"""mul and add with one number per channel, sigmoids, softmax: against loops, and at their ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netgen.ops as dsl
from netgen.dsl.tensor import constructing, finish, image
from netgen.errors import GraphError
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.add import Add
from netgen.ops.hard_sigmoid import HardSigmoid
from netgen.ops.mul import Mul
from netgen.ops.sigmoid import Sigmoid
from netgen.ops.softmax import Softmax
from tests.meaning import meaning

EXTENT = st.integers(1, 5)


def numbers(seed: int, *shape: int) -> Array:
    return 3.0 * np.random.default_rng(seed).standard_normal(shape)


def compute(op: Operator, *operands: Array) -> Array:
    """The reference, its shape compared with the type rule."""
    result = meaning(op, operands)
    kinds = [TensorType("f32", operand.shape) for operand in operands]
    assert op.infer(kinds) == TensorType("f32", result.shape)
    return result


@pytest.mark.parametrize("spread", [False, True])
@given(EXTENT, EXTENT, EXTENT)
def test_add_and_mul(spread: bool, height: int, width: int, channels: int) -> None:
    a = numbers(1, 1, height, width, channels)
    b = numbers(2, *((1, 1, 1, channels) if spread else a.shape))
    total, product = compute(Add("relu"), a, b), compute(Mul(), a, b)
    for place in np.ndindex(*a.shape):
        other = b[0, 0, 0, place[3]] if spread else b[place]
        assert total[place] == max(a[place] + other, 0.0)
        assert product[place] == a[place] * other


@pytest.mark.parametrize("op", [Add(), Mul()])
@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (4,), (1, 4), (1, 3, 1, 4), (1, 2, 3, 5)])
def test_second_operands_that_do_not_fit(op: Operator, shape: tuple[int, ...]) -> None:
    with pytest.raises(GraphError, match=r"expected \[1, 2, 3, 4\] or \[1, 1, 1, 4\]"):
        op.infer([TensorType("f32", (1, 2, 3, 4)), TensorType("f32", shape)])


def test_the_dsl_puts_one_number_per_channel_second() -> None:
    with constructing() as construction:
        x = image(4, 5, 3)
        gate = dsl.global_avg_pool(x)
        outputs = (dsl.mul(gate, x), x * gate, dsl.add(gate, x), gate * gate)
        graph = finish(construction, "gates", outputs)
    operands = [graph[name].operands for name in graph.outputs]
    assert operands[:3] == [(x.name, gate.name)] * 3
    assert operands[3] == (gate.name, gate.name)


@given(st.floats(-30, 30))
def test_sigmoids(v: float) -> None:
    x = np.full((1, 1), v)
    assert compute(Sigmoid(), x)[0, 0] == pytest.approx(1 / (1 + math.exp(-v)), rel=1e-14)
    expected = 0.0 if v <= -3 else 1.0 if v >= 3 else v / 6 + 0.5
    assert compute(HardSigmoid(), x)[0, 0] == pytest.approx(expected, abs=1e-15)


def test_sigmoids_saturate_quietly_and_keep_nan() -> None:
    x = np.array([[-1e30, -np.inf, 1e30, np.inf, np.nan]])
    expected = [0.0, 0.0, 1.0, 1.0]
    for op in (Sigmoid(), HardSigmoid()):
        y = compute(op, x)[0]
        assert y[:4].tolist() == expected
        assert np.isnan(y[4])


@given(EXTENT, EXTENT, st.integers(1, 8))
def test_softmax(height: int, width: int, channels: int) -> None:
    x = numbers(1, 1, height, width, channels)
    y = compute(Softmax(), x)
    for i, j in np.ndindex(height, width):
        powers = [math.exp(v) for v in x[0, i, j]]
        np.testing.assert_allclose(y[0, i, j], [p / sum(powers) for p in powers], rtol=1e-12)


def test_softmax_of_large_numbers() -> None:
    y = compute(Softmax(), np.array([[1e4, 1e4 + math.log(3.0), -1e4]]))
    np.testing.assert_allclose(y, [[0.25, 0.75, 0.0]], rtol=1e-9)


@pytest.mark.parametrize("op", [Sigmoid(), HardSigmoid()])
@pytest.mark.parametrize("moment", [0.5, 1.0, 1.5])
def test_second_moments_of_sigmoids(op: Operator, moment: float) -> None:
    x = np.random.default_rng(1).normal(0.0, math.sqrt(moment), (1, 200_000))
    assert (compute(op, x) ** 2).mean() == pytest.approx(op.second_moment([moment]), rel=0.03)


def test_second_moment_of_products() -> None:
    draw = np.random.default_rng(1)
    a, b = draw.normal(0.0, 2.0, (1, 200_000)), draw.normal(0.0, 0.5, (1, 200_000))
    found = (compute(Mul("relu"), a, b) ** 2).mean()
    assert found == pytest.approx(Mul("relu").second_moment([4.0, 0.25]), rel=0.05)
