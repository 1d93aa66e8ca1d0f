"""Types of quantised values: what they say in text, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netgen.errors import GraphError
from netgen.ir.files import load_graph, save_graph
from netgen.ir.tensor_type import ELEMENTS, Quantisation, TensorType
from netgen.ir.text import parse_graph, print_graph
from netgen.ir.verify import verify

QUANTISED = """\
netgen 1
graph codes {
  %image : i8[1,2,2,3] {scale=0x1.8p-6, zero=-3} = input
  %w     : i8[3,2] {scale=@w.scale, axis=0}      = const {data=@w}
  %n     : i32[3]                                = const {data=@n}
  %other : u8[1,2,2,3] {scale=0x1p-7, zero=128}  = input
  %twice : i8[1,2,2,6] {scale=0x1.8p-6, zero=-3} = concat(%image, %image)
  return %twice, %other
}
"""


def test_the_text_says_what_codes_stand_for() -> None:
    graph, _ = parse_graph(QUANTISED)
    assert graph["twice"].type == TensorType("i8", (1, 2, 2, 6), Quantisation(0.0234375, -3))
    again, _ = parse_graph(print_graph(graph))
    assert [node.type for node in again.nodes] == [node.type for node in graph.nodes]
    assert "i8[1,2,2,6] {scale=0x1.8p-6, zero=-3} = concat(%image, %image)" in print_graph(graph)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{scale=0x1.8p-6, zero=-3} = input", "{zero=-3} = input", "a type has no such attributes"),
        ("{scale=0x1.8p-6, zero=-3} = input", "{scale=-0x1p-6} = input", "this is no scale"),
        ("zero=-3} = input", "zero=-300} = input", "the zero point is no i8"),
        ("{scale=0x1p-7, zero=128}", "{scale=0x1p-7, colour=3}", "a type has no such attributes"),
        ("{scale=0x1p-7, zero=128}", "{scale=@s}", "a scale along an axis is an array"),
        ("{scale=@w.scale, axis=0}", "{scale=@w.scale, axis=2}", "the type has no such axis"),
        ("= concat(", "= hard_sigmoid(%image) #", "hard_sigmoid takes no x of i8"),
        ("zero=-3} = concat", "zero=-2} = concat", "the type of %twice is wrong"),
        ("%n     : i32[3]      ", "%n     : f32[3] {scale=0x1p0}", "f32 has no scale"),
    ],
)
def test_types_that_cannot_be_are_refused(old: str, new: str, message: str) -> None:
    assert QUANTISED.count(old) == 1
    with pytest.raises(GraphError, match=message):
        parse_graph(QUANTISED.replace(old, new))


SCALED = """\
netgen 1
graph scaled {
  %x : f32[1,2]                                = input
  %c : i8[2,3] {scale=@s, axis=0}              = const {data=@c}
  %y : i8[2,3] {scale=@s, axis=0}              = input
  %z : f32[1,2]                                = relu(%x)
  return %z, %y
}
"""


@pytest.mark.parametrize(
    ("scales", "message"),
    [
        (np.ones(3, np.float32), r"the scales @s are float32\[3\], not float32\[2\]"),
        (np.ones(2, np.float64), "the scales @s are float64"),
        (np.array([1, -1], np.float32), "not all positive"),
        (np.array([1, np.inf], np.float32), "not all positive and finite"),
    ],
)
def test_scales_along_an_axis_are_verified(scales: np.ndarray, message: str) -> None:
    graph, _ = parse_graph(SCALED)
    with pytest.raises(GraphError, match=message):
        verify(graph.with_constants({"s": scales}))


CONSTANT = "i8[1,2,2,3] {scale=0x1.8p-6, zero=-3} = const {data=@codes}"


def test_constants_of_codes_travel_in_files(tmp_path: Path) -> None:
    graph, _ = parse_graph(
        QUANTISED.replace("i8[1,2,2,3] {scale=0x1.8p-6, zero=-3} = input", CONSTANT)
    )
    codes = np.arange(12).reshape(1, 2, 2, 3)
    with pytest.raises(GraphError, match=r"the data is int16\[1, 2, 2, 3\], the type says i8"):
        verify(graph.with_constants({"codes": codes.astype(np.int16)}))
    held = graph.with_constants({"codes": codes.astype(np.int8)})
    save_graph(held, tmp_path / "codes.ir")
    again = load_graph(tmp_path / "codes.ir")
    assert print_graph(again) == print_graph(held)
    assert again.constant("image").dtype == np.int8
    assert again.constant("image").tolist() == codes.tolist()


@pytest.mark.parametrize("name", [name for name, kind in ELEMENTS.items() if not kind.is_float])
def test_references_must_saturate_by_themselves(name: str) -> None:
    element = ELEMENTS[name]
    ends = np.array([element.low, element.high])
    assert element.store(ends).tolist() == ends.tolist()
    assert element.store(ends).dtype.itemsize == element.bytes
    for wrong in (ends + 1, ends - 1, ends.astype(float)):
        with pytest.raises(GraphError, match=f"numbers do not fit into {name}"):
            element.store(wrong)
