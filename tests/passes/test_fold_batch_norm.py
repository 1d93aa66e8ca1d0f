"""Numbers of folding: exact float64 arithmetic rounded once, and variances that cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from netgen.errors import WeightsError
from netgen.ir.graph import Graph
from netgen.ir.origin import Origin
from netgen.ir.text import parse_graph
from netgen.passes.fold_batch_norm import fold_batch_norm

NETWORK = """netgen 1
graph net {
  %x : f32[1,1] = input
  %w : f32[2,1] = const {data=@w}
  %g : f32[2]   = const {data=@g}
  %t : f32[2]   = const {data=@t}
  %m : f32[2]   = const {data=@m}
  %v : f32[2]   = const {data=@v}
  %c : f32[1,2] = linear(%x, %w)
  %y : f32[1,2] = batch_norm(%c, %g, %t, %m, %v) {eps=0x1p-2}
  return %y
}"""


def graph(variance: float, gamma: float = 0.1) -> Graph:
    values = {"g": [3.0, gamma], "t": [1.0, 0.2], "m": [0.5, 0.3], "v": [2.0, variance]}
    arrays = {name: np.array(numbers, np.float32) for name, numbers in values.items()}
    arrays["w"] = np.array([[4.0], [0.7]], np.float32)
    return parse_graph(NETWORK)[0].with_constants(arrays, Origin("net"))


def test_rounded_once() -> None:
    after = fold_batch_norm(graph(0.6))
    single = [np.float64(np.float32(number)) for number in (0.1, 0.6, 0.7, 0.3, 0.2)]
    gamma, variance, w, mean, beta = single
    scale = gamma / np.sqrt(variance + 0.25)
    assert after.constant("y.w").tolist() == [[8.0], [float(np.float32(w * scale))]]
    assert after.constant("y.b").tolist() == [0.0, float(np.float32(-mean * scale + beta))]
    assert after.constants.keys() == {"y.w", "y.b"}
    assert after.origin == Origin("net")


@pytest.mark.parametrize("variance", [-0.25, -3.0])
def test_a_variance_that_has_no_root(variance: float) -> None:
    with pytest.raises(
        WeightsError, match=f"^%v: a variance .* found {variance}; check the weight"
    ):
        fold_batch_norm(graph(variance))


def test_what_float32_does_not_hold() -> None:
    """One weight and one bias of two: 0.7 and -0.3 times 3.3e38 / sqrt(0.25 - 0.2499)."""
    with pytest.raises(
        WeightsError, match=r"^%y: the weights do not fit .*; check gamma"
    ) as caught:
        fold_batch_norm(graph(-0.2499, 3.3e38))
    assert "found 2 values beyond it, the largest scale is 3.3e+40" in str(caught.value)
