"""Passes on codes: what may be joined of floats may be something else of codes."""

from __future__ import annotations

import numpy as np
import pytest

from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.text import parse_graph
from netgen.passes import run_pipeline
from netgen.runtime.compare import seeded_inputs

PADDED = """netgen 1
graph padded {
  %x : i8[1,5,4,2] {scale=0x1p-5, zero=-9} = input
  %w : i8[3,3,3,2] {scale=0x1p-7} = const {data=@w}
  %b : i32[3] = const {data=@b}
  %p : i8[1,7,6,2] {scale=0x1p-5, zero=-9} = pad(%x) {pad=1VALUE}
  %y : i8[1,5,4,3] {scale=0x1p-4, zero=3} = conv2d(%p, %w, %b) {act=relu, scale=0x1p-4, zero=3}
  return %y
}
"""


def graph_with(value: str) -> Graph:
    draw = np.random.default_rng(3)
    graph, _ = parse_graph(PADDED.replace("VALUE", value))
    w = draw.integers(-127, 128, (3, 3, 3, 2)).astype(np.int8)
    return graph.with_constants({"w": w, "b": draw.integers(-99, 99, 3).astype(np.int32)})


@pytest.mark.parametrize(
    ("value", "left"), [("", ["conv2d"]), (", value=0x1.4p+2", ["pad", "conv2d"])]
)
def test_a_frame_of_the_zero_point_alone_is_padding(value: str, left: list[str]) -> None:
    """Convolutions of codes pad with the zero point of x, and with nothing else."""
    graph = graph_with(value)
    lowered = run_pipeline(graph)
    assert [node.op.operator_name for node in lowered.activations] == left
    inputs = seeded_inputs(graph)
    expected, found = interpret(graph, inputs), interpret(lowered, inputs)
    np.testing.assert_array_equal(found["y"], expected["y"])


def test_a_frame_has_the_code_that_its_value_says() -> None:
    graph = graph_with(", value=0x1.4p+2")
    frame = interpret(graph, seeded_inputs(graph))["p"]
    assert set(frame[0, 0].reshape(-1).tolist()) == {-9 + 5}


ALIKE = """netgen 1
graph alike {
  %x : u8[1,5,4,2] {scale=0x1p-5, zero=9} = input
  %a : u8[1,5,4,2] {scale=0x1p-5, zero=9} = RESCALED
  %y : u8[1,4,3,2] {scale=0x1p-5, zero=9} = max_pool2d(%a) {kernel=2, act=relu}
  return %y
}
"""


@pytest.mark.parametrize(
    "operator",
    [
        "rescale(%x) {scale=0x1p-5, zero=9}",
        "resize_bilinear(%x) {size=(5,4), coordinates=half_pixel}",
        "resize_nearest(%x) {size=(5,4)}",
        "depth_to_space(%x)",
        "space_to_depth(%x)",
        "pad(%x) {value=0x1.cp+2}",
    ],
)
def test_what_changes_nothing_is_dropped(operator: str) -> None:
    graph, _ = parse_graph(ALIKE.replace("RESCALED", operator))
    lowered, inputs = run_pipeline(graph), seeded_inputs(graph)
    assert [node.op.operator_name for node in lowered.activations] == ["max_pool2d"]
    expected, found = interpret(graph, inputs), interpret(lowered, inputs)
    np.testing.assert_array_equal(found["y"], expected["y"])


def test_a_rescale_to_other_codes_stays() -> None:
    text = (
        ALIKE.replace("RESCALED", "rescale(%x) {scale=0x1p-5, zero=8}")
        .replace(
            "%a : u8[1,5,4,2] {scale=0x1p-5, zero=9}", "%a : u8[1,5,4,2] {scale=0x1p-5, zero=8}"
        )
        .replace(
            "%y : u8[1,4,3,2] {scale=0x1p-5, zero=9}", "%y : u8[1,4,3,2] {scale=0x1p-5, zero=8}"
        )
    )
    lowered = run_pipeline(parse_graph(text)[0])
    assert [node.op.operator_name for node in lowered.activations] == ["rescale", "max_pool2d"]
