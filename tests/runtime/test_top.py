from __future__ import annotations

import numpy as np

from netgen.runtime.top import Hit, best


def test_best() -> None:
    scores = np.array([1.0, 3.0, -2.0, 3.0, np.nan], np.float32)
    assert best(scores, 3, None) == (
        Hit(1, "class 1", 3.0),
        Hit(3, "class 3", 3.0),
        Hit(0, "class 0", 1.0),
    )
    assert [hit.label for hit in best(scores, 2, list("abcde"))] == ["b", "d"]
    assert len(best(scores, 9, None)) == 5


def test_best_of_codes() -> None:
    """The least code of a byte, whose negative is itself, is not the best."""
    signed, unsigned = np.array([-128, 127, 3], np.int8), np.array([0, 223, 3], np.uint8)
    assert [hit.index for hit in best(signed, 3, None)] == [1, 2, 0]
    assert [hit.index for hit in best(unsigned, 3, None)] == [1, 2, 0]
