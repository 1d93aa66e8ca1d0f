"""References of windows, resizes and moves against loops, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netgen.ops as dsl
from netgen.dsl.tensor import constructing, image
from netgen.errors import GraphError
from netgen.ir.operator import Operator, Signature
from netgen.ir.tensor_type import Array, Quantisation, TensorType
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.depth_to_space import DepthToSpace, SpaceToDepth
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.pad import Pad
from netgen.ops.rescale import Rescale
from netgen.ops.resize_bilinear import ResizeBilinear
from netgen.ops.resize_nearest import ResizeNearest
from netgen.ops.transpose_conv2d import TransposeConv2d
from tests.cases import examples

IMAGE = TensorType("f32", (1, 4, 6, 8))
CODES = TensorType("i8", (1, 4, 6, 8), Quantisation(0.25, -3))
UNSIGNED = TensorType("u8", (1, 4, 6, 8), Quantisation(0.25, 3))


def applied(op: Operator, x: Array, *rest: Array) -> Array:
    kinds = [TensorType("f32", each.shape) for each in (x, *rest)]
    return op.reference([x, *rest], Signature((*kinds,), op.infer(kinds)))


@examples(60)
@given(
    extents=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    before=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_transposed_convolutions(
    extents: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    before: tuple[int, int],
    size: tuple[int, int],
) -> None:
    draw = np.random.default_rng(1)
    x, w = draw.standard_normal((1, *extents, 3)), draw.standard_normal((2, *kernel, 3))
    b = draw.standard_normal(2)
    expected = np.zeros((1, *size, 2)) + b
    for h, v in np.ndindex(extents):
        for r, s in np.ndindex(kernel):
            i, j = h * stride[0] + r - before[0], v * stride[1] + s - before[1]
            if 0 <= i < size[0] and 0 <= j < size[1]:
                expected[0, i, j] += w[:, r, s] @ x[0, h, v]
    op = TransposeConv2d(size=size, stride=stride, before=before)
    np.testing.assert_allclose(applied(op, x, w, b), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("block", [1, 2, 3])
def test_blocks_are_dealt_and_gathered(block: int) -> None:
    x = np.arange(2.0 * 3 * block * block * 5).reshape(1, 2, 3, block * block * 5)
    wide = applied(DepthToSpace(block), x)
    for i, j, c in np.ndindex(2 * block, 3 * block, 5):
        place = (i % block * block + j % block) * 5 + c
        assert wide[0, i, j, c] == x[0, i // block, j // block, place]
    np.testing.assert_array_equal(applied(SpaceToDepth(block), wide), x)


def test_a_mean_of_four_neighbours() -> None:
    x = np.array([[0.0, 4.0], [8.0, 20.0]]).reshape(1, 2, 2, 1)
    assert applied(ResizeBilinear((3, 3), "align_corners"), x)[0, 1, 1, 0] == 8.0
    assert applied(ResizeBilinear((4, 4), "half_pixel"), x)[0, 1, 1, 0] == 3.5
    assert applied(ResizeBilinear((4, 4)), x)[0, :, 0, 0].tolist() == [0.0, 4.0, 8.0, 8.0]
    assert applied(ResizeNearest((3, 3)), x)[0, :, 0, 0].tolist() == [0.0, 0.0, 8.0]
    assert applied(ResizeNearest((3, 3), "align_corners"), x)[0, :, 0, 0].tolist() == [0, 8, 8]


@pytest.mark.parametrize(
    ("op", "x", "message"),
    [
        (MaxPool2d(act="relu"), IMAGE, "of floats has no activation"),
        (MaxPool2d(act="sigmoid"), CODES, "codes cannot be activated by sigmoid"),
        (AvgPool2d((2, 2), pad=(1, 1, 1, 1), counted=(1, 0, 0, 0)), CODES, "counts no padding"),
        (Pad((1, 1, 1, 1), 0.5), CODES, "a frame of no i8"),
        (Pad((1, 1, 1, 1), 131.0), CODES, "a frame of no i8"),
        (DepthToSpace(3), IMAGE, "the channels are no blocks"),
        (SpaceToDepth(4), IMAGE, "the image is no blocks"),
        (Rescale(), CODES, "rescale needs a scale"),
        (ResizeBilinear((55, 3)), TensorType("i8", (1, 1, 1, 1), CODES.quantisation), "10 bits"),
    ],
)
def test_operands_that_do_not_fit(op: Operator, x: TensorType, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        op.result_type([x])


def test_a_mean_of_more_codes_than_int32_holds() -> None:
    x = TensorType("i16", (1, 400, 400, 1), Quantisation(0.5))
    assert AvgPool2d((100, 100)).result_type([x]).shape == (1, 301, 301, 1)
    with pytest.raises(GraphError, match="too large for int32"):
        AvgPool2d((400, 400)).result_type([x])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ResizeNearest((2, 2), "pixel"), "unknown coordinates"),
        (lambda: ResizeNearest((0, 2)), "size must be"),
        (lambda: DepthToSpace(0), "a block must have pixels"),
        (lambda: Pad((0, 0, 0, 0), float("inf")), "a frame of no float32"),
        (lambda: Pad((0, 0, 0, 0), 0.1), "a frame of no float32"),
        (lambda: TransposeConv2d(size=(2**31 - 1, 1), before=(1, 0)), "too large"),
        (lambda: TransposeConv2d(before=(-1, 0)), "before must be"),
    ],
)
def test_attributes_that_do_not_fit(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(GraphError, match=message):
        make()


def test_sizes_of_transposed_convolutions() -> None:
    with constructing():
        x = image(5, 7, 3)
        assert dsl.transpose_conv2d(x, 4, 3, stride=2, pad="same").shape == (1, 10, 14, 4)
        same = dsl.transpose_conv2d(x, 4, (3, 2), stride=2, pad=(1, 0), output_pad=1)
        assert same.shape == (1, 10, 15, 4)
        with pytest.raises(GraphError, match="the size must be"):
            dsl.transpose_conv2d(x, 4, 1, pad=3)


def test_codes_between_scales_are_rounded_in_float32() -> None:
    """Halves go away from zero, and codes saturate."""
    op = Rescale(scale=0.5, zero=10)
    codes = np.array([0, 1, 2, 3, 4, 5, 255])
    result = op.infer([UNSIGNED])
    found = op.reference([codes], Signature((UNSIGNED,), result))
    assert found.tolist() == [8, 9, 9, 10, 11, 11, 136]
    narrow = Rescale(scale=2.0**-4, zero=250)
    found = narrow.reference([codes], Signature((UNSIGNED,), narrow.infer([UNSIGNED])))
    assert found.tolist() == [238, 242, 246, 250, 254, 255, 255]
