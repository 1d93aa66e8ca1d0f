"""Type rules: the shapes of results, and every refusal."""

from __future__ import annotations

from typing import Any

import pytest

from netgen.errors import GraphError
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import TensorType
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

IMAGE = (1, 8, 6, 4)
Shape = tuple[int, ...]


def infer(op: Operator, *shapes: Shape) -> Shape:
    op.check_count(shapes)
    result = op.infer([TensorType("f32", shape) for shape in shapes])
    assert result.dtype == "f32"
    return result.shape


@pytest.mark.parametrize(
    ("op", "shapes", "result"),
    [
        (Conv2d(), (IMAGE, (5, 1, 1, 4)), (1, 8, 6, 5)),
        (Conv2d(), (IMAGE, (5, 3, 2, 4)), (1, 6, 5, 5)),
        (Conv2d(stride=(2, 2), pad=(1, 1, 1, 1)), (IMAGE, (5, 3, 3, 4), (5,)), (1, 4, 3, 5)),
        (Conv2d(stride=(2, 2), pad=(0, 1, 0, 1)), (IMAGE, (5, 3, 3, 4)), (1, 4, 3, 5)),
        (Conv2d(stride=(3, 1)), (IMAGE, (5, 2, 2, 4)), (1, 3, 5, 5)),
        (Conv2d(dilation=(2, 1)), (IMAGE, (5, 3, 3, 4)), (1, 4, 4, 5)),
        (Conv2d(groups=2), (IMAGE, (6, 1, 1, 2)), (1, 8, 6, 6)),
        (Conv2d(), (IMAGE, (5, 1, 1, 4), (5,), (1, 8, 6, 5)), (1, 8, 6, 5)),
        (DepthwiseConv2d(), (IMAGE, (4, 3, 3, 1)), (1, 6, 4, 4)),
        (DepthwiseConv2d(pad=(1, 1, 1, 1)), (IMAGE, (12, 3, 3, 1), (12,)), (1, 8, 6, 12)),
        (Linear(), ((1, 7), (3, 7)), (1, 3)),
        (Linear(act="relu"), ((1, 7), (3, 7), (3,)), (1, 3)),
        (BatchNorm(), (IMAGE, (4,), (4,), (4,), (4,)), IMAGE),
        (BatchNorm(), ((1, 4), (4,), (4,), (4,), (4,)), (1, 4)),
        (Pad((1, 2, 3, 4)), (IMAGE,), (1, 11, 13, 4)),
        (GlobalAvgPool(), (IMAGE,), (1, 1, 1, 4)),
        (Add(), (IMAGE, IMAGE), IMAGE),
        (Reshape((1, 192)), (IMAGE,), (1, 192)),
        (Reshape((8, 24)), (IMAGE,), (8, 24)),
        *[(op, (IMAGE,), IMAGE) for op in (Relu(), Relu6(), HardSwish(), Identity(), Dropout())],
    ],
)
def test_shapes_of_results(op: Operator, shapes: tuple[Shape, ...], result: Shape) -> None:
    assert infer(op, *shapes) == result


@pytest.mark.parametrize(
    ("op", "shapes", "message"),
    [
        (Conv2d(), ((1, 4), (5, 1, 1, 4)), r"x must have 4 dimensions, found f32\[1,4\]"),
        (Conv2d(), (IMAGE, (5, 4)), "w must have 4 dimensions"),
        (Conv2d(), (IMAGE, (5, 1, 1, 3)), r"w has the wrong shape, expected \[5, 1, 1, 4\], found"),
        (
            Conv2d(groups=2),
            (IMAGE, (6, 1, 1, 4)),
            r"w has the wrong shape, expected \[6, 1, 1, 2\]",
        ),
        (Conv2d(groups=3), (IMAGE, (6, 1, 1, 4)), "4 to 6 channels cannot be split into 3 groups"),
        (Conv2d(groups=4), (IMAGE, (6, 1, 1, 1)), "4 to 6 channels cannot be split into 4 groups"),
        (
            Conv2d(),
            (IMAGE, (5, 9, 1, 4)),
            "is 9 high and does not fit, expected at least 9, found 8",
        ),
        (Conv2d(), (IMAGE, (5, 1, 7, 4)), "the kernel is 7 wide and does not fit"),
        (Conv2d(dilation=(1, 3)), (IMAGE, (5, 1, 3, 4)), "the kernel is 7 wide and does not fit"),
        (
            Conv2d(),
            (IMAGE, (5, 1, 1, 4), (4,)),
            r"b has the wrong shape, expected \[5\], found \[4\]",
        ),
        (Conv2d(), (IMAGE, (5, 1, 1, 4), (5,), IMAGE), "residual has the wrong shape"),
        (Conv2d(), (IMAGE,), "expected 2 to 4, found 1"),
        (DepthwiseConv2d(), ((1, 4), (4, 3, 3, 1)), "x must have 4 dimensions"),
        (DepthwiseConv2d(), (IMAGE, (4, 9)), "w must have 4 dimensions"),
        (
            DepthwiseConv2d(),
            (IMAGE, (6, 3, 3, 1)),
            r"w has the wrong shape, expected \[4\*m, R, S, 1",
        ),
        (DepthwiseConv2d(), (IMAGE, (4, 3, 3, 4)), "w has the wrong shape"),
        (DepthwiseConv2d(), (IMAGE, (2, 3, 3, 1)), "w has the wrong shape"),
        (DepthwiseConv2d(), (IMAGE, (8, 3, 3, 1), (4,)), "b has the wrong shape"),
        (DepthwiseConv2d(), (IMAGE, (4, 9, 9, 1)), "the kernel is 9 high and does not fit"),
        (DepthwiseConv2d(), (IMAGE, (4, 3, 3, 1), (4,), IMAGE), "expected 2 to 3, found 4"),
        (Linear(), (IMAGE, (3, 4)), "x must have 2 dimensions"),
        (Linear(), ((1, 7), (3, 1, 1, 7)), "w must have 2 dimensions"),
        (Linear(), ((1, 7), (7, 3)), r"w has the wrong shape, expected \[7, 7\], found \[7, 3\]"),
        (Linear(), ((1, 7), (3, 7), (7,)), "b has the wrong shape"),
        (
            BatchNorm(),
            (IMAGE, (4,), (4,), (4,)),
            "batch_norm takes the operands x, gamma, beta, mean",
        ),
        (BatchNorm(), (IMAGE, (4,), (4,), (3,), (4,)), r"mean has the wrong shape, expected \[4\]"),
        (BatchNorm(), (IMAGE, (4,), (4,), (4,), (1, 4)), "var has the wrong shape"),
        (Pad(), ((1, 4),), "x must have 4 dimensions"),
        (GlobalAvgPool(), ((1, 4),), "x must have 4 dimensions"),
        (Add(), (IMAGE, (1, 8, 6, 3)), "the second operand has the wrong shape"),
        (Add(), (IMAGE,), "add takes the operands a, b, expected 2, found 1"),
        (Reshape((1, 5)), (IMAGE,), "cannot be reshaped to .* expected 192 elements, found 5"),
        (Reshape(()), (IMAGE,), "cannot be reshaped"),
        (Reshape((-1, -192)), (IMAGE,), "empty dimension"),
    ],
)
def test_operands_that_do_not_fit(op: Operator, shapes: tuple[Shape, ...], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        infer(op, *shapes)


# Three numbers are no pair, which a type checker would refuse.
THREE: Any = (1, 1, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Conv2d(stride=(0, 1)),
            "stride must be one or two whole numbers, expected at least",
        ),
        (lambda: Conv2d(dilation=(1, 0)), "dilation must be one or two whole numbers"),
        (lambda: Conv2d(stride=THREE), "stride must be one or two whole numbers"),
        (lambda: Conv2d(pad=(0, 0, 0, -1)), "pad must be one number or"),
        (lambda: Conv2d(groups=0), "groups must be positive, found 0"),
        (
            lambda: Conv2d(act="tan"),
            "unknown activation 'tan', expected one of none, hard_sigmoid, ",
        ),
        (lambda: DepthwiseConv2d(stride=(-1, 1)), "stride must be one or two whole numbers"),
        (lambda: DepthwiseConv2d(act="tan"), "unknown activation 'tan'"),
        (lambda: Linear(act="tan"), "unknown activation 'tan'"),
        (lambda: Add(act="tan"), "unknown activation 'tan'"),
        (lambda: Pad((1, 1, -1, 1)), "pad must be one number or"),
        (lambda: BatchNorm(-1.0), "eps must be finite and not negative, found -1.0"),
        (lambda: BatchNorm(float("nan")), "eps must be finite and not negative, found nan"),
        (lambda: BatchNorm(float("inf")), "eps must be finite and not negative, found inf"),
    ],
)
def test_attributes_that_cannot_be(make: type[Operator], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        make()
