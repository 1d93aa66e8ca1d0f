"""Layers with weights of i8 under codes of u8: the result's type, its codes, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from netgen.errors import GraphError
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Quantisation, TensorType
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.linear import Linear
from netgen.ops.weighted import Weighted

PIXELS = TensorType("u8", (1, 5, 4, 2), Quantisation(0.5, 127))
WEIGHTS = TensorType("i8", (2, 3, 3, 2), Quantisation(0.25))


@pytest.mark.parametrize(
    ("op", "w", "shape"),
    [
        (Conv2d(scale=8.0, zero=-3, pad=(1, 1, 1, 1)), (6, 3, 3, 2), (1, 5, 4, 6)),
        (DepthwiseConv2d(scale=4.0, zero=-3), (4, 3, 3, 1), (1, 3, 2, 4)),
        (Linear(scale=64.0, zero=-3, act="relu"), (50, 40), (1, 50)),
    ],
    ids=lambda value: value.operator_name if isinstance(value, Weighted) else "",
)
def test_codes_are_those_of_the_image_less_128(
    op: Weighted, w: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    draw = np.random.default_rng(1)
    flat = (1, 40) if len(w) == 2 else PIXELS.shape
    x, weights = (
        TensorType("u8", flat, Quantisation(0.5, 127)),
        TensorType("i8", w, Quantisation(0.25)),
    )
    signed = TensorType("i8", flat, Quantisation(0.5, -1))
    result = op.result_type([x, weights])
    assert result == TensorType("i8", shape, Quantisation(op.scale, -3))
    assert op.result_type([signed, weights]) == result
    pixels, numbers = draw.integers(0, 256, flat), draw.integers(-128, 128, w)
    found = op.reference([pixels, numbers], Signature((x, weights), result))
    expected = op.reference([pixels - 128, numbers], Signature((signed, weights), result))
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found)) > 3


@pytest.mark.parametrize(
    ("op", "x", "w", "message"),
    [
        (Conv2d(), PIXELS, WEIGHTS, "conv2d of u8 by i8 needs a scale"),
        (
            Conv2d(scale=1.0),
            PIXELS,
            TensorType("i8", WEIGHTS.shape, Quantisation(0.25, 1)),
            "as u8, i8 around zero and i32, or as i16, i8 .*, found u8 around 127, i8 around 1",
        ),
        (
            Conv2d(scale=1.0),
            TensorType("i8", PIXELS.shape, Quantisation(0.5)),
            TensorType("u8", WEIGHTS.shape, Quantisation(0.25, 128)),
            "found i8, u8 around 128",
        ),
        (Conv2d(scale=1.0), PIXELS, TensorType("f32", WEIGHTS.shape), "found u8 around 127, f32"),
        (Conv2d(scale=1.0, zero=128), PIXELS, WEIGHTS, "the zero point is no i8"),
    ],
)
def test_what_does_not_fit(op: Weighted, x: TensorType, w: TensorType, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        op.result_type([x, w])
