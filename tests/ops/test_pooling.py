"""max_pool2d and avg_pool2d against loops that follow torch's definition, `ceil_mode` included."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import netgen.ops as dsl
from netgen.dsl.tensor import constructing, finish, image
from netgen.errors import GraphError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.window import PadSpec
from tests.meaning import meaning

SMALL = st.integers(1, 4)
PAIR = st.tuples(SMALL, SMALL)
EXTENT = st.integers(1, 8)


def outputs(extent: int, kernel: int, stride: int, pad: tuple[int, int], ceil_mode: bool) -> int:
    """Number of windows along one axis (torch, pooling_output_shape)."""
    room = extent + sum(pad) - kernel
    count = (room + stride - 1 if ceil_mode else room) // stride + 1
    if ceil_mode and (count - 1) * stride >= extent + pad[0]:
        count -= 1
    return count


def naive(
    x: Array,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: tuple[int, int, int, int],
    ceil_mode: bool,
    count_include_pad: bool,
) -> tuple[Array, Array]:
    """Maxima and means, window by window (torch, avg_pool2d_out_frame)."""
    sides = (pad[:2], pad[2:])
    sizes = [
        outputs(x.shape[1 + a], kernel[a], stride[a], (sides[a][0], sides[a][1]), ceil_mode)
        for a in (0, 1)
    ]
    most, mean = (np.zeros((1, *sizes, x.shape[3])) for _ in range(2))
    for i, j, c in product(range(sizes[0]), range(sizes[1]), range(x.shape[3])):
        count, inside = 1, []
        for axis, at in ((0, i), (1, j)):
            begin = at * stride[axis] - sides[axis][0]
            end = min(begin + kernel[axis], x.shape[1 + axis] + sides[axis][1])
            valid = range(max(begin, 0), min(end, x.shape[1 + axis]))
            inside.append(valid)
            count *= end - begin if count_include_pad else len(valid)
        values = [float(x[0, h, w, c]) for h in inside[0] for w in inside[1]]
        most[0, i, j, c] = max(values)
        mean[0, i, j, c] = sum(values) / count
    return most, mean


def pooled(x: Array, body: str, **arguments: object) -> Array:
    """The result of a DSL function of this name."""
    with constructing() as construction:
        y = getattr(dsl, body)(image(*x.shape[1:]), **arguments)
        graph = finish(construction, "pool", (y,))
    found = interpret(graph, {"image": x})[y.name]
    assert found.shape == y.shape
    return found


@given(st.data(), EXTENT, EXTENT, PAIR, PAIR, st.booleans(), st.booleans())
def test_against_torchs_definition(
    data: st.DataObject,
    height: int,
    width: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    ceil_mode: bool,
    count_include_pad: bool,
) -> None:
    pad = data.draw(st.tuples(*[st.integers(0, k // 2) for k in np.repeat(kernel, 2).tolist()]))
    assume(height + pad[0] + pad[1] >= kernel[0] and width + pad[2] + pad[3] >= kernel[1])
    x = np.random.default_rng(height * width).standard_normal((1, height, width, 2))
    most, mean = naive(x, kernel, stride, pad, ceil_mode, count_include_pad)
    window = {"kernel": kernel, "stride": stride, "pad": pad, "ceil_mode": ceil_mode}
    np.testing.assert_array_equal(pooled(x, "max_pool2d", **window), most)
    found = pooled(x, "avg_pool2d", **window, count_include_pad=count_include_pad)
    np.testing.assert_allclose(found, mean, atol=1e-14)


def test_ceil_mode_pads_behind_the_image_and_never_counts() -> None:
    x = np.ones((1, 7, 6, 1))
    y = pooled(x, "avg_pool2d", kernel=3, stride=2, ceil_mode=True)
    assert y.shape == (1, 3, 3, 1)
    np.testing.assert_array_equal(y, np.ones((1, 3, 3, 1)))
    padded = pooled(x, "avg_pool2d", kernel=3, stride=2, pad=1, ceil_mode=True)
    assert padded.shape == (1, 4, 4, 1)
    assert padded[0, 0, 0, 0] == pytest.approx(4 / 9)
    # The last column starts at 5: one of the image, one of counted padding, one that completes it.
    assert padded[0, 1, 3, 0] == pytest.approx(1 / 2)


def test_same_padding_as_tensorflow_has_it() -> None:
    x = np.ones((1, 5, 5, 1))
    y = pooled(x, "avg_pool2d", kernel=2, stride=2, pad="same", count_include_pad=False)
    np.testing.assert_array_equal(y, np.ones((1, 3, 3, 1)))


def test_a_partly_counted_padding_and_nan() -> None:
    x = np.ones((1, 4, 4, 1))
    y = meaning(AvgPool2d((3, 3), (1, 1), (1, 1, 1, 1), (1, 0, 0, 0)), [x])
    assert y[0, 0, 0, 0] == pytest.approx(4 / 6)
    assert y[0, 3, 0, 0] == 1.0
    x[0, 0, 0, 0] = np.nan
    most = meaning(MaxPool2d((2, 2), (2, 2)), [x])
    assert np.isnan(most[0, 0, 0, 0])
    assert most[0, 1, 1, 0] == 1.0


def test_window_far_larger_than_the_image() -> None:
    """It is computed without the padding, which would be 800 MB."""
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    size = (10_000, 10_000)
    pad = (9_996, 0, 4_998, 4_998)
    assert meaning(MaxPool2d(size, (1, 1), pad), [x]).tolist() == [[[[15.0]]]]
    assert meaning(AvgPool2d(size, (1, 1), pad), [x]).tolist() == [[[[7.5]]]]
    counted = meaning(AvgPool2d(size, (1, 1), pad, (1, 0, 0, 1)), [x])
    assert counted.tolist() == [[[[120 / 25]]]]


@pytest.mark.parametrize(
    ("kernel", "stride", "pad", "message"),
    [
        ((2, 2), (1, 1), (2, 0, 0, 0), "lies in the padding alone, expected padding of less than"),
        ((2, 2), (1, 1), (0, 0, 0, 2), "lies in the padding alone"),
        ((9, 1), (1, 1), (0, 0, 0, 0), "does not fit"),
        ((0, 1), (1, 1), (0, 0, 0, 0), "kernel must be one or two whole numbers"),
        ((10**12, 1), (1, 1), (10**12 - 4, 0, 0, 0), "kernel .* and at most 2147483647, found"),
        ((4, 4), (10**12, 1), (0, 0, 0, 0), "stride .* and at most 2147483647, found"),
        ((4, 4), (1, 1), (0, 0, 0, 10**12), "pad .* and at most 2147483647, found"),
        ((10**9,) * 2, (1, 1), (10**9 - 4, 0) * 2, "4 x 4 pixels is padded too much: a value of"),
    ],
)
def test_windows_that_cannot_be(
    kernel: tuple[int, int], stride: tuple[int, int], pad: tuple[int, int, int, int], message: str
) -> None:
    for make in (MaxPool2d, AvgPool2d):
        with pytest.raises(GraphError, match=message):
            make(kernel, stride, pad).infer([TensorType("f32", (1, 4, 4, 3))])


def test_more_counted_than_there_is() -> None:
    with pytest.raises(GraphError, match="more padding is counted than there is"):
        AvgPool2d((3, 3), (1, 1), (1, 1, 1, 1), (1, 2, 1, 1))


def test_padding_that_no_window_reaches_is_no_fault() -> None:
    op = MaxPool2d((1, 1), (4, 4), (0, 2, 0, 2))
    assert op.infer([TensorType("f32", (1, 5, 5, 3))]).shape == (1, 2, 2, 3)


def test_the_stride_is_the_kernel_unless_given() -> None:
    pad: PadSpec = 0
    with constructing() as construction:
        y = dsl.avg_pool2d(dsl.max_pool2d(image(12, 12, 3), (2, 3), pad=pad), 2)
        graph: Graph = finish(construction, "pool", (y,))
    assert y.shape == (1, 3, 2, 3)
    assert graph.macs() == 0


@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("make", [MaxPool2d, AvgPool2d])
def test_second_moment_of_rectified_values(kernel: int, make: type[MaxPool2d | AvgPool2d]) -> None:
    op = make((kernel, kernel), (kernel, kernel))
    x = np.maximum(np.random.default_rng(1).standard_normal((1, 120, 120, 30)), 0.0)
    found = float((meaning(op, [x]) ** 2).mean())
    assert found == pytest.approx(op.second_moment([0.5]), rel=0.05)
