"""The geometry of sliding windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.errors import GraphError
from netgen.ir.tensor_type import TensorType
from netgen.ops.window import Window, four_sides, pair, resolve_pad


def test_one_number_or_all() -> None:
    assert pair(3, "stride") == (3, 3)
    assert pair((1, 2), "stride") == (1, 2)
    assert four_sides(3, "pad") == (3, 3, 3, 3)
    assert four_sides((1, 2, 3, 4), "pad") == (1, 2, 3, 4)


@pytest.mark.parametrize("wrong", [0, (1,), (1, 2, 3), (1, 0), ()])
def test_no_pair(wrong: int | tuple[int, ...]) -> None:
    with pytest.raises(
        GraphError, match=r"^stride must be one or two whole numbers, expected at l"
    ):
        pair(wrong, "stride")


@pytest.mark.parametrize("wrong", [-1, (1,), (1, 2), (1, 2, 3, -4), ()])
def test_no_four_sides(wrong: int | tuple[int, ...]) -> None:
    with pytest.raises(
        GraphError, match=r"^pad must be one number or \(top, bottom, left, right\)"
    ):
        four_sides(wrong, "pad")


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "sides"),
    [
        ((224, 224), (3, 3), (2, 2), (0, 1, 0, 1)),  # TensorFlow pads bottom and right first
        ((225, 225), (3, 3), (2, 2), (1, 1, 1, 1)),
        ((7, 7), (3, 3), (1, 1), (1, 1, 1, 1)),
        ((8, 5), (4, 5), (1, 1), (1, 2, 2, 2)),
        ((8, 8), (1, 1), (2, 2), (0, 0, 0, 0)),  # never negative
    ],
)
def test_same_padding_of_tensorflow(
    size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], sides: tuple[int, ...]
) -> None:
    assert resolve_pad("same", size, kernel, stride) == sides


def test_other_padding_is_left_alone() -> None:
    assert resolve_pad(2, (8, 8), (3, 3), (1, 1)) == 2
    assert resolve_pad((1, 2, 3, 4), (8, 8), (3, 3), (1, 1)) == (1, 2, 3, 4)


@given(*[st.integers(1, 40)] * 2, *[st.integers(1, 7)] * 2, *[st.integers(1, 4)] * 2)
def test_same_padding_gives_one_output_per_stride(
    height: int, width: int, rows: int, columns: int, down: int, right: int
) -> None:
    sides = four_sides(resolve_pad("same", (height, width), (rows, columns), (down, right)), "pad")
    window = Window((rows, columns), (down, right), sides)
    found = window.output_size(TensorType("f32", (1, height, width, 1)))
    assert found == (-(-height // down), -(-width // right))
    assert 0 <= sides[1] - sides[0] <= 1
    assert 0 <= sides[3] - sides[2] <= 1


def test_taps() -> None:
    x = np.arange(12.0).reshape(1, 3, 4, 1)
    window = Window((2, 2), (2, 2), (1, 0, 0, 1), (1, 2))
    taps = window.taps(x, np.inf)
    assert taps.shape == (2, 2, 2, 2, 1)
    assert taps[0, 0, :, :, 0].tolist() == [[np.inf, np.inf], [0.0, 2.0]]
    assert taps[1, 1, :, :, 0].tolist() == [[6.0, np.inf], [10.0, np.inf]]
