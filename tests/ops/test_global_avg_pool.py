"""Global averages of codes: by hand, and code for code as TensorFlow Lite's reference kernels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import netgen.ops as dsl
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import GraphError
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, Quantisation, TensorType
from netgen.ir.text import parse_graph, print_graph
from netgen.ops.global_avg_pool import GlobalAvgPool
from tests.kernels.i8.means import Mean, drawn, mean_of, ties


def computed(mean: Mean) -> Array:
    """The reference's codes, in one row."""
    signature = Signature((mean.x,), mean.y)
    return mean.op.reference([mean.codes.astype(np.int64)], signature).reshape(-1)


def by_rows(mean: Mean, rows: int) -> Array:
    """The same in bands of so many rows."""
    signature, height = Signature((mean.x,), mean.y), mean.x.shape[1]
    x, sums = mean.codes.astype(np.int64), np.zeros(mean.y.shape, np.int64)
    for first in range(0, height, rows):
        end = min(first + rows, height)
        sums = mean.op.reference_sum(sums, x, signature, first, end)
    return sums.reshape(-1)


def i8(*codes: int) -> Array:
    """Pixels of one channel, one below the other."""
    return np.array(codes, np.int8).reshape(1, -1, 1, 1)


@pytest.mark.parametrize(
    ("codes", "scales", "zeros", "code"),
    [
        (i8(1, 2), (1, 1), (0, 0), 2),  # 1.5
        (i8(-1, -2), (1, 1), (0, 0), -1),  # -1.5: up, where no bits are shifted out behind
        (i8(-1, -1), (1, 2), (0, 0), -1),  # -0.5: away from zero, where some are
        (i8(1, 2), (1, 1), (0, 10), 12),
        (i8(1, 2), (1, 1), (1, 0), 1),  # 0.5
        (i8(1, 2), (1, 1), (2, 0), 0),  # -0.5
        (i8(3, 3, 3), (1, 1), (0, 0), 3),
        (i8(100, 120), (2, 1), (0, 0), 127),
        (i8(-100, -120), (2, 1), (0, 0), -128),
        (i8(127, 127), (1, 1), (-128, -128), 127),
        (i8(5, 6), (1, 8), (0, 0), 1),  # 0.6875
        (i8(1, 0, 0, 0), (16, 1), (0, 0), 4),
    ],
)
def test_by_hand(
    codes: Array, scales: tuple[float, float], zeros: tuple[int, int], code: int
) -> None:
    assert computed(mean_of(codes, scales, zeros)).tolist() == [code]


def test_code_for_code_as_tensorflow_lite() -> None:
    shifts, codes = set(), []
    for number, mean in enumerate(drawn(2, 300)):
        expected = mean.expected(keep_dims=number % 2 == 0)
        np.testing.assert_array_equal(computed(mean), expected, err_msg=str(mean.x))
        np.testing.assert_array_equal(by_rows(mean, 1 + number % 7), expected)
        shifts.add(mean.op.multiplier(mean.x, mean.y).shift)
        codes += [(mean.y.dtype, code) for code in expected.tolist()]
    assert shifts >= {-31, -8, -2, 0, 1}
    assert max(shifts) > 8
    for dtype in ("i8", "u8"):
        assert len({code for kind, code in codes if kind == dtype}) > 200


def test_ties_as_tensorflow_lite() -> None:
    for mean in ties():
        np.testing.assert_array_equal(computed(mean), mean.expected())


@pytest.mark.parametrize(
    ("op", "x", "message"),
    [
        (GlobalAvgPool(scale=0.5), TensorType("f32", (1, 2, 2, 1)), "floats have no scale"),
        (GlobalAvgPool(), TensorType("i8", (1, 2, 2, 1)), "have no one scale"),
        (
            GlobalAvgPool(),
            TensorType("i8", (1, 2, 2, 1), Quantisation("s", 0, 3)),
            "have no one scale",
        ),
        (
            GlobalAvgPool(scale=0.5, zero=128),
            TensorType("i8", (1, 2, 2, 1), Quantisation(1.0)),
            "is no i8",
        ),
        (
            GlobalAvgPool(),
            TensorType("i16", (1, 2, 2, 1), Quantisation(1.0)),
            "global_avg_pool takes no x of i16",
        ),
        (
            GlobalAvgPool(scale=2.0**-30),
            TensorType("i8", (1, 2, 2, 1), Quantisation(1.0)),
            "too large to be rescaled in int32",
        ),
        (
            GlobalAvgPool(),
            TensorType("u8", (1, 2053, 2053, 1), Quantisation(1.0)),
            "too large to be rescaled in int32",
        ),
    ],
)
def test_types_that_are_refused(op: GlobalAvgPool, x: TensorType, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        op.result_type([x])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GlobalAvgPool(scale=-1.0), "this is no scale"),
        (lambda: GlobalAvgPool(scale=0.1), "this is no scale"),
        (lambda: GlobalAvgPool(scale=0.0, zero=3), "a zero point without a scale"),
    ],
)
def test_attributes_that_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        make()


@network
def means() -> tuple[Tensor, ...]:
    x = dsl.quantize(image(4, 3, 2), 0.25, 7)
    return (
        dsl.global_avg_pool(x),
        dsl.global_avg_pool(x, 0.1, -3),
        dsl.global_avg_pool(image(2, 2, 1)),
    )


def test_the_result_has_its_own_scale_or_that_of_x() -> None:
    graph = means.build()
    kinds = [graph[name].type for name in graph.outputs]
    assert [str(kind) for kind in kinds] == [
        "i8[1,1,1,2] {scale=0x1p-2, zero=7}",
        "i8[1,1,1,2] {scale=0x1.99999ap-4, zero=-3}",
        "f32[1,1,1,1]",
    ]
    assert print_graph(parse_graph(print_graph(graph))[0]) == print_graph(graph)


@network
def mean_without_scale() -> Tensor:
    return dsl.global_avg_pool(dsl.quantize(image(4, 3, 2), 0.25), 1e-60)


def test_a_scale_that_float32_lacks_is_refused_on_its_line() -> None:
    with pytest.raises(GraphError, match=r"test_global_avg_pool\.py:\d+.*this is no scale"):
        mean_without_scale.build()
