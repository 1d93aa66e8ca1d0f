"""Assumptions of seeded weights on sums, gates and rectified values, against samples of them."""

from __future__ import annotations

import numpy as np
import pytest

from netgen.dsl import Tensor, image, network
from netgen.ir.magnitude import Spread
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array
from netgen.ops import add, batch_norm, conv2d, depthwise_conv2d, dropout, hard_swish, mul
from netgen.ops.add import Add
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.concat import Concat
from netgen.ops.hard_sigmoid import HardSigmoid
from netgen.ops.hard_swish import HardSwish
from netgen.ops.leaky_relu import LeakyRelu
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.ops.reshape import Reshape
from netgen.weights.seeded import seeded_weights
from netgen.weights.spread import spread_after
from tests.meaning import meaning

CENTRED, RECTIFIED = 0.5, 1.0


def sample(spread: Spread, seed: int) -> Array:
    """Values of a spread: normal ones, or normal ones rectified."""
    values = np.random.default_rng(seed).normal(size=(1, 1, 1000, 400))
    if spread.above == RECTIFIED:
        values = np.sqrt(2.0) * np.maximum(values, 0.0)
    return np.asarray(np.sqrt(spread.square) * values)


def measured(x: Array) -> tuple[float, float]:
    square = float((x**2).mean())
    return square, float((x[x > 0.0] ** 2).sum() / x.size / square)


@pytest.mark.parametrize(
    ("op", "given", "within"),
    [
        (Relu(), [Spread(3.0, CENTRED)], 0.01),
        (Relu(), [Spread(3.0, RECTIFIED)], 0.01),
        (Relu6(), [Spread(0.5, RECTIFIED)], 0.01),
        (LeakyRelu(0.5), [Spread(3.0, CENTRED)], 0.01),
        (LeakyRelu(-2.0), [Spread(3.0, CENTRED)], 0.01),
        (LeakyRelu(0.5), [Spread(3.0, RECTIFIED)], 0.01),
        (Reshape((1, 400_000)), [Spread(3.0, RECTIFIED)], 0.01),
        (Concat(), [Spread(1.0, CENTRED), Spread(2.0, RECTIFIED)], 0.01),
        (Add(), [Spread(1.0, CENTRED), Spread(2.0, CENTRED)], 0.01),
        *[(HardSwish(), [Spread(square)], 0.02) for square in (0.1, 0.5, 1.0, 2.0, 4.0, 9.0, 50.0)],
    ],
)
def test_spreads(op: Operator, given: list[Spread], within: float) -> None:
    y = meaning(op, [sample(spread, seed) for seed, spread in enumerate(given)])
    square, above = measured(y)
    found = spread_after(op, given, 1.0)
    assert found.square == pytest.approx(square, rel=within)
    if not isinstance(op, HardSwish):
        assert found.above == pytest.approx(above, abs=0.01)
    elif given[0].square >= 4.0:  # what weights aim for
        assert found.above == pytest.approx(above, abs=0.03)


@pytest.mark.parametrize(("branch", "within"), [(0.01, 0.005), (0.25, 0.03), (1.0, 0.07)])
def test_what_is_above_zero_of_a_rectified_shortcut_and_a_branch(
    branch: float, within: float
) -> None:
    """The mean of products of a sum's parts counts here, and does not in `second_moment`."""
    given = [Spread(1.0, RECTIFIED), Spread(branch, CENTRED)]
    x = sum(sample(spread, seed) for seed, spread in enumerate(given))
    total = spread_after(Add(), given, 1.0)
    rectified = spread_after(Relu(), [total], 1.0)
    assert rectified.square == pytest.approx(float((np.maximum(x, 0.0) ** 2).mean()), rel=within)
    assert spread_after(Add(), given[::-1], 1.0).above == total.above


def test_a_sigmoid_is_above_zero() -> None:
    assert spread_after(HardSigmoid(), [Spread()], 1.0) == Spread(0.278, 1.0)


@network
def block(shape: str = "shortcut") -> Tensor:
    """Unit input, then what the weights of `last` and of `other` lead into."""
    x = image(8, 8, 64)
    y = batch_norm(conv2d(x, 64, 1, bias=False, name="last"))
    if shape == "shortcut":
        return add(dropout(y), x)
    if shape == "later shortcut":
        x = add(x, y)
        return add(batch_norm(conv2d(x, 64, 1, name="other")), x)
    if shape == "two branches":
        return add(batch_norm(depthwise_conv2d(x, 3, pad=1, bias=False, name="other")), y)
    if shape == "hard_swish":
        return conv2d(hard_swish(y), 64, 1, name="other")
    if shape == "read twice":
        return add(mul(y, y), x)
    return y


@pytest.mark.parametrize(
    ("shape", "aims"),
    [
        ("shortcut", {"last": 0.25}),
        ("later shortcut", {"last": 0.25, "other": 0.25 * 1.25}),
        ("two branches", {"last": 0.5, "other": 0.5}),
        ("hard_swish", {"last": 4.0, "other": 1.0}),
        ("read twice", {"last": 1.0}),
        ("output", {"last": 1.0}),
    ],
)
def test_what_weights_aim_for(shape: str, aims: dict[str, float]) -> None:
    """From the weights themselves: their variance times inputs times the mean square of x."""
    inputs = {"later shortcut": 1.25, "hard_swish": 4.0 * 0.4427}
    graph = block.build(shape=shape)
    weights = seeded_weights(graph)
    for name, aimed in aims.items():
        w = weights[f"{name}.w"].astype(np.float64)
        square = inputs.get(shape, 1.0) if name == "other" else 1.0
        found = (w**2).mean() * w[0].size * square
        assert found == pytest.approx(aimed, rel=0.1 if w.size < 1000 else 0.05), name


@pytest.mark.parametrize("square", [0.25, 1.0, 4.0])
def test_batch_norm_keeps_the_mean_square(square: float) -> None:
    shape = {0.25: "shortcut", 1.0: "output", 4.0: "hard_swish"}[square]
    weights = seeded_weights(block.build(shape=shape))
    letters = ("gamma", "beta", "mean", "var")
    parameters = [weights[f"batch_norm.{letter}"].astype(np.float64) for letter in letters]
    x = np.random.default_rng(3).normal(0.0, np.sqrt(square), (1, 50, 50, 64))
    y = meaning(BatchNorm(), [x, *parameters])
    assert (y**2).mean() == pytest.approx(square, rel=0.06)  # there are 64 channels
