"""The header names the axes of inputs and outputs by what they are, and says in which order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import netgen
from netgen.emission.axes import axes_of
from netgen.export.onnx_file import graph_to_onnx
from netgen.ir.graph import Graph
from netgen.ir.text import parse_graph
from netgen.kernels.targets import find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.data.options import PlanOptions
from netgen.weights.seeded import seeded_weights
from tests.emission.programs import emission

_NETWORK = """netgen 1
graph g {
  %w  : f32[4,3,3,3] = const {data=@w}
  %v  : f32[5,12] = const {data=@v}
BODY
}
"""

# What the network says, and the order of each input and output.
CASES = {
    "a convolution reads NHWC": (
        """
      %x : f32[1,20,30,3] = input
      %y : f32[1,18,28,4] = conv2d(%x, %w)
      return %y""",
        ["NHWC", "NHWC"],
    ),
    "a transpose makes NHWC of NCHW, and NCHW of NHWC": (
        """
      %x : f32[1,3,20,30] = input
      %i : f32[1,20,30,3] = transpose(%x) {axes=(0,2,3,1)}
      %c : f32[1,18,28,4] = conv2d(%i, %w)
      %y : f32[1,4,18,28] = transpose(%c) {axes=(0,3,1,2)}
      return %y""",
        ["NCHW", "NCHW"],
    ),
    "elementwise operators keep axes, on either side": (
        """
      %x : f32[1,3,20,30] = input
      %z : f32[1,3,20,30] = input
      %a : f32[1,3,20,30] = hard_swish(%x)
      %s : f32[1,3,20,30] = mul(%a, %z)
      %i : f32[1,20,30,3] = transpose(%s) {axes=(0,2,3,1)}
      %r : f32[1,20,30,3] = sigmoid(%i)
      %c : f32[1,18,28,4] = conv2d(%r, %w)
      %y : f32[1,18,28,4] = softmax(%c)
      return %y, %a""",
        ["NCHW", "NCHW", "NHWC", "NCHW"],
    ),
    "several inputs of different orders": (
        """
      %x : f32[1,20,30,3] = input
      %z : f32[1,3,20,30] = input
      %t : f32[1,20,30,3] = transpose(%z) {axes=(0,2,3,1)}
      %s : f32[1,20,30,3] = add(%t, %x)
      %y : f32[1,20,10,3] = avg_pool2d(%s) {kernel=(1,3), stride=(1,3)}
      return %y""",
        ["NHWC", "NCHW", "NHWC"],
    ),
    "rows before channels, and columns first": (
        """
      %x : f32[1,30,3,20] = input
      %i : f32[1,20,30,3] = transpose(%x) {axes=(0,3,1,2)}
      %y : f32[1,18,28,4] = conv2d(%i, %w)
      return %y""",
        ["NWCH", "NHWC"],
    ),
    "of one channel NCHW is a reshape": (
        """
      %x : f32[1,1,20,30] = input
      %i : f32[1,20,30,1] = reshape(%x) {shape=(1,20,30,1)}
      %y : f32[1,10,30,1] = max_pool2d(%i) {kernel=(2,1), stride=(2,1)}
      return %y""",
        ["NCHW", "NHWC"],
    ),
    "of one pixel, too": (
        """
      %x : f32[1,20,30,12] = input
      %p : f32[1,1,1,12] = global_avg_pool(%x)
      %y : f32[1,12,1,1] = reshape(%p) {shape=(1,12,1,1)}
      return %y""",
        ["NHWC", "NCHW"],
    ),
    "of one column": (
        """
      %x : f32[1,3,20,1] = input
      %i : f32[1,20,1,3] = transpose(%x) {axes=(0,2,3,1)}
      %y : f32[1,1,1,3] = global_avg_pool(%i)
      return %y""",
        ["NCHW", "NHWC"],
    ),
    "an image of one column, without it": (
        """
      %x : f32[1,3,20] = input
      %t : f32[1,20,3] = transpose(%x) {axes=(0,2,1)}
      %i : f32[1,20,1,3] = reshape(%t) {shape=(1,20,1,3)}
      %p : f32[1,10,1,3] = max_pool2d(%i) {kernel=(2,1), stride=(2,1)}
      %y : f32[1,10,3] = reshape(%p) {shape=(1,10,3)}
      return %y""",
        ["NCH", "NHC"],
    ),
    "a classifier": (
        """
      %x : f32[1,12] = input
      %l : f32[1,5] = linear(%x, %v)
      %y : f32[1,5] = softmax(%l)
      %z : f32[1,1,5] = reshape(%l) {shape=(1,1,5)}
      return %y, %z""",
        ["NC", "NC", "N?C"],
    ),
    "what an image is flattened to is none of its axes": (
        """
      %x : f32[1,2,2,3] = input
      %p : f32[1,2,2,3] = max_pool2d(%x)
      %f : f32[1,12] = reshape(%p) {shape=(1,12)}
      return %f""",
        ["NHWC", "N?"],
    ),
    "an image that is flattened at once": (
        """
      %x : f32[1,3,2,2] = input
      %f : f32[1,12] = reshape(%x) {shape=(1,12)}
      %y : f32[1,5] = linear(%f, %v)
      return %y""",
        ["N???", "NC"],
    ),
    "nothing says what they are": (
        """
      %x : f32[1,3,20,30] = input
      %z : f32[1,40] = input
      %q : f32[1,2,3,4,5] = input
      %y : f32[1,3,20,30] = relu(%x)
      %a : f32[1,40] = sigmoid(%z)
      %s : f32[1,2,3,4,5] = sigmoid(%q)
      return %y, %a, %s""",
        ["N???", "N?", "N????"] * 2,
    ),
    "two readers that do not agree": (
        """
      %x : f32[1,30,20,30] = input
      %r : f32[1,30,20,30] = relu(%x)
      %a : f32[1,20,30,30] = transpose(%r) {axes=(0,2,3,1)}
      %b : f32[1,20,30,30] = transpose(%r) {axes=(0,2,1,3)}
      %c : f32[1,1,1,30] = global_avg_pool(%a)
      %d : f32[1,1,1,30] = global_avg_pool(%b)
      %y : f32[1,1,1,30] = add(%c, %d)
      return %y""",
        ["N?H?", "NHWC"],
    ),
    "who reads it itself is right": (
        """
      %x : f32[1,20,20,20] = input
      %c : f32[1,1,1,20] = global_avg_pool(%x)
      %t : f32[1,20,20,20] = transpose(%x) {axes=(0,2,3,1)}
      %d : f32[1,1,1,20] = global_avg_pool(%t)
      %y : f32[1,1,1,20] = add(%c, %d)
      return %y""",
        ["NHWC", "NHWC"],
    ),
    "channels that are joined and moved": (
        """
      %x : f32[1,2,20,30] = input
      %z : f32[1,1,20,30] = input
      %s : f32[1,20,30,2] = transpose(%x) {axes=(0,2,3,1)}
      %t : f32[1,20,30,1] = reshape(%z) {shape=(1,20,30,1)}
      %j : f32[1,20,30,3] = concat(%s, %t)
      %c : f32[1,18,28,4] = conv2d(%j, %w)
      return %j, %c""",
        ["NCHW", "NCHW", "NHWC", "NHWC"],
    ),
}


def graph_of(body: str) -> Graph:
    graph, _ = parse_graph(_NETWORK.replace("BODY", body))
    return graph.with_constants(seeded_weights(graph))


@pytest.mark.parametrize("case", CASES)
def test_the_order_of_every_input_and_output(case: str) -> None:
    body, orders = CASES[case]
    plan = build_plan(run_pipeline(graph_of(body)), find_target("generic"), PlanOptions())
    assert [axes_of(plan, name) for name in (*plan.inputs, *plan.outputs)] == orders


def defined(header: str) -> dict[str, int]:
    """The macros for the axes of all inputs and outputs, with their values."""
    found = re.findall(r"^#define MODEL_((?:IN|OUT)PUT\d?_\w+) (\d+) ", header, re.MULTILINE)
    return {name: int(number) for name, number in found}


def test_constants_of_an_interface_of_channels_first() -> None:
    header = emission(
        graph_of(CASES["a transpose makes NHWC of NCHW, and NCHW of NHWC"][0]), "generic"
    ).header
    assert defined(header) == {
        "INPUT_ELEMENTS": 1800, "INPUT_CHANNELS": 3, "INPUT_HEIGHT": 20, "INPUT_WIDTH": 30,
        "OUTPUT_ELEMENTS": 2016, "OUTPUT_CHANNELS": 4, "OUTPUT_HEIGHT": 18, "OUTPUT_WIDTH": 28,
    }  # fmt: skip
    assert "/* x: float32, NCHW: 1 x 3 x 20 x 30 */" in header
    assert "#define MODEL_INPUT_CHANNELS 3 /* axis 1 of NCHW */" in header
    assert "question mark" not in header


def test_constants_of_axes_that_nobody_names() -> None:
    header = emission(graph_of(CASES["nothing says what they are"][0]), "generic").header
    assert defined(header) == {
        "INPUT1_ELEMENTS": 1800, "INPUT1_DIM1": 3, "INPUT1_DIM2": 20, "INPUT1_DIM3": 30,
        "INPUT2_ELEMENTS": 40, "INPUT2_DIM1": 40,
        "INPUT3_ELEMENTS": 120, "INPUT3_DIM1": 2, "INPUT3_DIM2": 3, "INPUT3_DIM3": 4,
        "INPUT3_DIM4": 5,
        "OUTPUT1_ELEMENTS": 1800, "OUTPUT1_DIM1": 3, "OUTPUT1_DIM2": 20, "OUTPUT1_DIM3": 30,
        "OUTPUT2_ELEMENTS": 40, "OUTPUT2_DIM1": 40,
        "OUTPUT3_ELEMENTS": 120, "OUTPUT3_DIM1": 2, "OUTPUT3_DIM2": 3, "OUTPUT3_DIM3": 4,
        "OUTPUT3_DIM4": 5,
    }  # fmt: skip
    assert "/* x: float32, N???: 1 x 3 x 20 x 30 */" in header
    assert "#define MODEL_INPUT1_DIM2 20 /* axis 2 of N??? */" in header
    assert "question mark" in header


def test_a_file_of_channels_first(tiny_graph: Graph, tmp_path: Path) -> None:
    """An ONNX file keeps its own order, with a transpose at each edge."""
    (tmp_path / "tiny.onnx").write_bytes(graph_to_onnx(tiny_graph, "NCHW"))
    header = emission(netgen.load(str(tmp_path / "tiny.onnx")), "generic").header
    assert {name: n for name, n in defined(header).items() if name.startswith("INPUT")} == {
        "INPUT_ELEMENTS": 300, "INPUT_CHANNELS": 3, "INPUT_HEIGHT": 10, "INPUT_WIDTH": 10,
    }  # fmt: skip
    assert "float32, NCHW: 1 x 3 x 10 x 10" in header
    assert "float32, NC: 1 x 5" in header


def test_codes_have_their_scale_in_the_header() -> None:
    graph = graph_of(
        """
      %x : f32[1,6,5,3] = input
      %q : u8[1,6,5,3] {scale=0x1p-3, zero=7} = quantize(%x) {scale=0x1p-3, zero=7, dtype=u8}
      %i : u8[1,3,6,5] {scale=0x1p-3, zero=7} = transpose(%q) {axes=(0,3,1,2)}
      return %i"""
    )
    header = emission(graph, "generic").header
    assert "#define MODEL_OUTPUT_SCALE 0.125f " in header
    assert "#define MODEL_OUTPUT_ZERO_POINT 7 " in header
    assert "/* i: uint8, N???: 1 x 3 x 6 x 5 */" in header
