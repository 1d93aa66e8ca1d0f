"""Equal arrays under different names, which text alone cannot show."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from netgen.ir.graph import Graph
from netgen.ir.text import parse_graph
from netgen.passes.share_constants import share_constants

NETWORK = """netgen 1
graph net {
  %x : f32[1,2] = input
  %a : f32[2,2] = const {data=@a}
  %b : f32[2,2] = const {data=@b}
  %c : f32[4,2] = const {data=@c}
  %r : f32[1,2] = linear(%x, %a)
  %s : f32[1,2] = linear(%r, %b)
  %y : f32[1,4] = linear(%s, %c)
  return %y
}"""


def graph(b: npt.NDArray[np.float32]) -> Graph:
    a = np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)
    return parse_graph(NETWORK)[0].with_constants(
        {"a": a, "b": b, "c": np.ones((4, 2), np.float32)}
    )


def test_equal_arrays_are_shared() -> None:
    after = share_constants(graph(np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)))
    assert after["s"].operands == ("r", "a")
    assert after.constants.keys() == {"a", "c"}


@pytest.mark.parametrize("first", [-0.0, 1e-45])
def test_arrays_that_differ_in_a_bit_are_not(first: float) -> None:
    after = share_constants(graph(np.array([[first, 1.0], [2.0, 3.0]], np.float32)))
    assert after["s"].operands == ("r", "b")


def test_equal_bytes_of_other_shapes_are_not() -> None:
    text = NETWORK.replace("%c : f32[4,2]", "%c : f32[1,2]").replace(
        "%y : f32[1,4]", "%y : f32[1,1]"
    )
    text = text.replace("%b : f32[2,2]", "%b : f32[2]").replace(
        "linear(%r, %b)", "linear(%r, %a, %b)"
    )
    zero = {"a": np.zeros((2, 2)), "b": np.zeros(2), "c": np.zeros((1, 2))}
    arrays = {name: array.astype(np.float32) for name, array in zero.items()}
    after = share_constants(parse_graph(text)[0].with_constants(arrays))
    assert after["s"].operands == ("r", "a", "b")
    assert after["y"].operands == ("s", "c")
