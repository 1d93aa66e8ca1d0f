"""Types of values."""

from __future__ import annotations

import pytest

from netgen.errors import GraphError
from netgen.ir.tensor_type import TensorType


def test_sizes_and_text() -> None:
    kind = TensorType("f32", (1, 14, 14, 96))
    assert str(kind) == "f32[1,14,14,96]"
    assert kind.elements == 18816
    assert kind.bytes == 75264


@pytest.mark.parametrize(
    ("dtype", "shape", "message"),
    [
        ("f64", (1,), "unknown element type 'f64', expected one of f32"),
        ("f32", (1, 0), r"the shape \[1, 0\] has an empty dimension"),
        ("f32", (-1,), "empty dimension"),
        ("f32", (2**29,), "too large, expected at most 2147483647 bytes, found 2147483648"),
    ],
)
def test_types_that_cannot_be(dtype: str, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        TensorType(dtype, shape)


def test_the_largest_type() -> None:
    assert TensorType("f32", (2**29 - 1,)).bytes == 2**31 - 4
