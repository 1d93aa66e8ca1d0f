from __future__ import annotations

import numpy as np
import pytest

from netgen.runtime.compare import relative_error


@pytest.mark.parametrize(
    ("found", "expected", "error"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, -4.5], [1.0, -4.0], 0.125),
        ([[0.0], [3.0]], [0.5, 2.0], 0.5),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([0.0, -0.5], [0.0, 0.0], 0.5),
        ([np.nan, 1.0], [1.0, 1.0], np.inf),
        ([1.0, 1.0], [np.inf, 1.0], np.inf),
    ],
)
def test_relative_error(found: list[float], expected: list[float], error: float) -> None:
    assert relative_error(found, expected) == error
