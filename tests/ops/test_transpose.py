"""transpose: type rule and meaning."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from netgen.errors import GraphError
from netgen.ir.tensor_type import TensorType
from netgen.ops.transpose import Transpose
from tests.meaning import meaning


@pytest.mark.parametrize("axes", list(permutations(range(3))))
def test_every_element_by_its_index(axes: tuple[int, ...]) -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    y = meaning(Transpose(axes), [x])
    assert Transpose(axes).infer([TensorType("f32", x.shape)]).shape == y.shape
    for index in np.ndindex(y.shape):
        source = [0, 0, 0]
        for position, axis in enumerate(axes):
            source[axis] = index[position]
        assert y[index] == x[tuple(source)]


@pytest.mark.parametrize("axes", [(0, 0, 1), (0, 1, 3), (-1, 0, 1)])
def test_axes_that_are_no_order(axes: tuple[int, ...]) -> None:
    with pytest.raises(GraphError, match="every axis once"):
        Transpose(axes)


def test_axes_of_another_rank() -> None:
    with pytest.raises(GraphError, match="expected 4 axes"):
        Transpose((1, 0)).infer([TensorType("f32", (1, 2, 3, 4))])
