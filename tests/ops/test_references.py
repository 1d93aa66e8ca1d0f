"""NumPy references and MACs against nested loops, on random small shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.activation import activate
from netgen.ops.add import Add
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.dropout import Dropout
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.hard_swish import HardSwish
from netgen.ops.identity import Identity
from netgen.ops.linear import Linear
from netgen.ops.pad import Pad
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.ops.reshape import Reshape
from tests.meaning import meaning
from tests.ops import naive

ACTIVATIONS = st.sampled_from(["none", "relu", "relu6", "hard_swish"])
SMALL = st.integers(1, 3)
EXTENT = st.integers(1, 6)
PAIR = st.tuples(SMALL, SMALL)
SIDES = st.tuples(*[st.integers(0, 2)] * 4)


def numbers(seed: int, *shape: int) -> Array:
    """Numbers on both sides of every activation's bends."""
    return 4.0 * np.random.default_rng(seed).standard_normal(shape)


def compute(op: Operator, *operands: Array) -> Array:
    """The reference, its shape compared with the type rule."""
    given_types = [TensorType("f32", operand.shape) for operand in operands]
    result = meaning(op, operands)
    assert op.infer(given_types) == TensorType("f32", result.shape)
    assert result.dtype == np.float64
    return result


def macs(op: Operator, *operands: Array) -> int:
    types = [TensorType("f32", operand.shape) for operand in operands]
    return op.macs(types, op.infer(types))


def fits(
    x: Array, kernel: tuple[int, int], pad: tuple[int, ...], dilation: tuple[int, int]
) -> bool:
    return all(
        x.shape[1 + axis] + pad[2 * axis] + pad[2 * axis + 1] > (kernel[axis] - 1) * dilation[axis]
        for axis in (0, 1)
    )


@given(st.data(), EXTENT, EXTENT, SMALL, SMALL, SMALL, PAIR, PAIR, SIDES, PAIR, ACTIVATIONS)
def test_conv2d(
    data: st.DataObject,
    height: int,
    width: int,
    groups: int,
    inputs: int,
    outputs: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: tuple[int, int, int, int],
    dilation: tuple[int, int],
    act: str,
) -> None:
    x = numbers(1, 1, height, width, inputs * groups)
    assume(fits(x, kernel, pad, dilation))
    w = numbers(2, outputs * groups, *kernel, inputs)
    b = numbers(3, outputs * groups) if data.draw(st.booleans(), "bias") else None
    plain, count = naive.conv2d(
        x, w, b, None, stride=stride, pad=pad, dilation=dilation, groups=groups
    )
    operands = [x, w] if b is None else [x, w, b]
    if b is not None and data.draw(st.booleans(), "residual"):
        operands.append(numbers(4, *plain.shape))
        plain = plain + operands[3]
    op = Conv2d(stride, pad, dilation, groups, act)
    np.testing.assert_allclose(compute(op, *operands), naive.activate_all(act, plain), atol=1e-12)
    assert macs(op, *operands) == count


@given(st.booleans(), EXTENT, EXTENT, SMALL, SMALL, PAIR, PAIR, SIDES, PAIR, ACTIVATIONS)
def test_depthwise_conv2d(
    bias: bool,
    height: int,
    width: int,
    channels: int,
    multiplier: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: tuple[int, int, int, int],
    dilation: tuple[int, int],
    act: str,
) -> None:
    x = numbers(1, 1, height, width, channels)
    assume(fits(x, kernel, pad, dilation))
    w = numbers(2, channels * multiplier, *kernel, 1)
    b = numbers(3, channels * multiplier) if bias else None
    # A grouped convolution with one channel per group is the same thing.
    plain, count = naive.conv2d(
        x, w, b, None, stride=stride, pad=pad, dilation=dilation, groups=channels
    )
    operands = [x, w] if b is None else [x, w, b]
    op = DepthwiseConv2d(stride, pad, dilation, act)
    np.testing.assert_allclose(compute(op, *operands), naive.activate_all(act, plain), atol=1e-12)
    assert macs(op, *operands) == count


@given(EXTENT, EXTENT, st.booleans(), ACTIVATIONS)
def test_linear(inputs: int, outputs: int, bias: bool, act: str) -> None:
    x, w, b = numbers(1, 1, inputs), numbers(2, outputs, inputs), numbers(3, outputs)
    operands = [x, w, b] if bias else [x, w]
    plain, count = naive.linear(x, w, b if bias else None)
    expected = naive.activate_all(act, plain)
    np.testing.assert_allclose(compute(Linear(act), *operands), expected, atol=1e-12)
    assert macs(Linear(act), *operands) == count


@given(st.lists(EXTENT, min_size=1, max_size=3), st.floats(1e-6, 1e-1), st.floats(1e-3, 1e3))
def test_batch_norm(shape: list[int], eps: float, scale: float) -> None:
    x = numbers(1, 1, *shape)
    gamma, beta, mean = (numbers(seed, shape[-1]) for seed in (2, 3, 4))
    var = numbers(5, shape[-1]) ** 2 * scale
    expected = naive.batch_norm(x, gamma, beta, mean, var, eps)
    found = compute(BatchNorm(eps), x, gamma, beta, mean, var)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-11)


@given(EXTENT, EXTENT, SMALL, SIDES)
def test_pad(height: int, width: int, channels: int, sides: tuple[int, int, int, int]) -> None:
    x = numbers(1, 1, height, width, channels)
    np.testing.assert_array_equal(compute(Pad(sides), x), naive.pad(x, sides))


@given(EXTENT, EXTENT, SMALL)
def test_global_avg_pool(height: int, width: int, channels: int) -> None:
    x = numbers(1, 1, height, width, channels)
    np.testing.assert_allclose(compute(GlobalAvgPool(), x), naive.global_avg_pool(x), atol=1e-14)


@given(ACTIVATIONS, SMALL, SMALL)
def test_add(act: str, height: int, channels: int) -> None:
    a, b = numbers(1, 1, height, 2, channels), numbers(2, 1, height, 2, channels)
    expected = np.array([x + y for x, y in zip(a.flat, b.flat, strict=True)]).reshape(a.shape)
    np.testing.assert_allclose(compute(Add(act), a, b), naive.activate_all(act, expected))


@pytest.mark.parametrize("op", [Relu(), Relu6(), HardSwish()])
def test_activations(op: Operator) -> None:
    x = np.concatenate([numbers(1, 200), [-3.0, -0.0, 0.0, 3.0, 6.0, 1e9, -1e9]]).reshape(1, 9, 23)
    expected = naive.activate_all(op.operator_name, x)
    np.testing.assert_allclose(compute(op, x), expected, rtol=1e-15)
    assert macs(op, x) == 0


@pytest.mark.parametrize("name", ["none", "relu", "relu6", "hard_swish"])
def test_activations_do_not_hide_nan(name: str) -> None:
    assert np.isnan(activate(name, np.array([np.nan]))).all()


@pytest.mark.parametrize("op", [Identity(), Dropout()])
def test_identities(op: Operator) -> None:
    x = numbers(1, 1, 3, 4, 2)
    np.testing.assert_array_equal(compute(op, x), x)


def test_reshape_keeps_the_order_of_nhwc() -> None:
    x = numbers(1, 1, 2, 3, 4)
    y = compute(Reshape((1, 24)), x)
    for i, j, c in np.ndindex(2, 3, 4):
        assert y[0, (i * 3 + j) * 4 + c] == x[0, i, j, c]
