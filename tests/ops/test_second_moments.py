"""Mean squares after each operator against samples: what seeded weights rely on."""

from __future__ import annotations

import numpy as np
import pytest

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array
from netgen.ops.add import Add
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.dropout import Dropout
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.hard_swish import HardSwish
from netgen.ops.identity import Identity
from netgen.ops.linear import Linear
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.ops.reshape import Reshape
from tests.cases import heavy
from tests.meaning import meaning

FEW_PERCENT = 0.04


class Samples:
    """Independent samples, the same in every run of one test."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(7)

    def __call__(self, *shape: int, mean_square: float = 1.0) -> Array:
        return self.generator.normal(0.0, np.sqrt(mean_square), shape)


@pytest.fixture
def normal() -> Samples:
    return Samples()


def measured(op: Operator, *operands: Array) -> float:
    return float((meaning(op, operands) ** 2).mean())


@pytest.mark.parametrize(
    "op", [Relu(), Relu6(), HardSwish(), Identity(), Dropout(), Reshape((400,))]
)
def test_elementwise(op: Operator, normal: Samples) -> None:
    x = normal(400) if isinstance(op, Reshape) else normal(200_000)
    expected = op.second_moment([1.0 if not isinstance(op, Reshape) else float((x**2).mean())])
    assert measured(op, x) == pytest.approx(expected, rel=FEW_PERCENT)


@pytest.mark.parametrize("act", ["none", "relu", "relu6", "hard_swish"])
def test_add(act: str, normal: Samples) -> None:
    a, b = normal(200_000, mean_square=0.7), normal(200_000, mean_square=0.3)
    assert measured(Add(act), a, b) == pytest.approx(Add(act).second_moment([0.7, 0.3]), rel=0.04)


@pytest.mark.parametrize("act", ["none", "relu", "relu6", "hard_swish"])
@pytest.mark.parametrize("moment", [0.25, heavy(1.0), heavy(9.0)])
def test_weighted_layers_aim_for_one_before_the_activation(
    act: str, moment: float, normal: Samples
) -> None:
    # Weights as netgen.weights.seeded scales them: variance 1 / (inputs per output * moment).
    x = normal(1, 30, 30, 16, mean_square=moment)
    conv2d, depthwise, linear = Conv2d(act=act), DepthwiseConv2d(act=act), Linear(act)
    w = normal(64, 3, 3, 16, mean_square=1 / (144 * moment))
    assert measured(conv2d, x, w) == pytest.approx(conv2d.second_moment([moment]), rel=0.1)
    x = normal(1, 20, 20, 2000, mean_square=moment)
    w = normal(2000, 3, 3, 1, mean_square=1 / (9 * moment))
    assert measured(depthwise, x, w) == pytest.approx(depthwise.second_moment([moment]), rel=0.06)
    x, w = normal(1, 500, mean_square=moment), normal(20_000, 500, mean_square=1 / (500 * moment))
    # One row of inputs for all outputs: its own mean square counts, not the expected one.
    w *= np.sqrt(moment / (x**2).mean())
    assert measured(linear, x, w) == pytest.approx(linear.second_moment([moment]), rel=FEW_PERCENT)


def test_a_residual_adds_its_own(normal: Samples) -> None:
    x, w, b = normal(1, 30, 30, 16), normal(64, 3, 3, 16, mean_square=1 / 144), np.zeros(64)
    residual = normal(1, 28, 28, 64, mean_square=2.0)
    expected = Conv2d().second_moment([1.0, 2.0])
    assert expected == 3.0
    assert measured(Conv2d(), x, w, b, residual) == pytest.approx(expected, rel=0.06)


def test_batch_norm_with_parameters_around_the_identity(normal: Samples) -> None:
    channels = 2000
    around_one, around_zero = (
        1.0 + 0.2 * normal.generator.uniform(-1, 1, (2, channels)),
        np.zeros(channels),
    )
    x = normal(50, channels)
    found = measured(BatchNorm(), x, around_one[0], around_zero, around_zero, around_one[1])
    assert found == pytest.approx(BatchNorm().second_moment([1.0]), rel=FEW_PERCENT)


def test_global_avg_pool_of_rectified_values(normal: Samples) -> None:
    x = np.maximum(normal(1, 7, 7, 20_000), 0.0)
    expected = GlobalAvgPool().second_moment([0.5])
    assert measured(GlobalAvgPool(), x) == pytest.approx(expected, rel=FEW_PERCENT)
