"""Reaches of enlargements: no row is left out, and few are too many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.ir.operator import Operator
from netgen.ir.rows import Reach, reach_of
from netgen.ir.tensor_type import Quantisation, TensorType
from netgen.ops.depth_to_space import DepthToSpace, SpaceToDepth
from netgen.ops.resize import COORDINATES, Resize
from netgen.ops.resize_bilinear import ResizeBilinear
from netgen.ops.resize_nearest import ResizeNearest
from netgen.ops.transpose_conv2d import TransposeConv2d
from tests.cases import examples


def covered(reach: Reach, rows: list[tuple[int, int]], height: int) -> int:
    """The rows too many that the reach has, at most; asserts that it has all that are read."""
    spare = 0
    for row, (first, last) in enumerate(rows):
        begin, end = reach.begin(row, height), reach.end(row + 1, height)
        if max(first, 0) <= min(last, height - 1):
            assert begin <= max(first, 0)
            assert min(last, height - 1) < end
            spare = max(spare, end - begin - (last - first + 1))
    return spare


@examples(200)
@given(
    kind=st.sampled_from((ResizeBilinear, ResizeNearest)),
    dtype=st.sampled_from(("f32", "i8")),
    height=st.integers(1, 40),
    rows=st.integers(1, 60),
    coordinates=st.sampled_from(COORDINATES),
)
def test_resizes(kind: type[Resize], dtype: str, height: int, rows: int, coordinates: str) -> None:
    op = kind((rows, 3), coordinates)
    codes = None if dtype == "f32" else Quantisation(0.5, 3)
    x = TensorType(dtype, (1, height, 3, 2), codes)
    reach = op.row_reach("x", {"x": x}, x.with_shape((1, rows, 3, 2)))
    assert reach is not None
    first, last = op.reads(x, 0)
    assert covered(reach, [*zip(first.tolist(), last.tolist(), strict=True)], height) <= 3


@examples(200)
@given(
    height=st.integers(1, 12),
    kernel=st.integers(1, 7),
    stride=st.integers(1, 5),
    before=st.integers(0, 6),
    rows=st.integers(1, 60),
)
def test_transposed_convolutions(
    height: int, kernel: int, stride: int, before: int, rows: int
) -> None:
    op = TransposeConv2d(size=(rows, 1), stride=(stride, 1), before=(before, 0))
    x, w = TensorType("f32", (1, height, 1, 2)), TensorType("f32", (3, kernel, 1, 2))
    reach = op.row_reach("x", {"x": x, "w": w}, op.infer([x, w]))
    assert reach is not None
    read = []
    for row in range(rows):
        hits = [h for h in range(height) if 0 <= row + before - h * stride < kernel]
        read.append((hits[0], hits[-1]) if hits else (0, -1))
    assert covered(reach, read, height) <= max(1, -(-kernel // stride))


@pytest.mark.parametrize(
    ("op", "rows"),
    [
        (DepthToSpace(3), [(n // 3, n // 3) for n in range(12)]),
        (SpaceToDepth(3), [(3 * n, 3 * n + 2) for n in range(4)]),
    ],
)
def test_blocks(op: Operator, rows: list[tuple[int, int]]) -> None:
    height = rows[-1][1] + 1
    x = TensorType("f32", (1, height, 3, 9))
    reach = op.row_reach("x", {"x": x}, op.infer([x]))
    assert reach is not None
    assert covered(reach, rows, height) == 0


def test_the_narrowest_reach() -> None:
    assert reach_of([(0, 1), (1, 2), (2, 3)], 1, 1) == Reach(2)
    assert reach_of([(0, 0), (0, 0), (1, 1), (1, 1)], 1, 2) == Reach(step=2)
    assert reach_of([(0, 0), (0, 1), (1, 1)], 1, 2) == Reach(2, step=2)
