"""Networks that take bytes: what their graphs become, the same numbers, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from netgen.errors import UsageError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.normalisation import Normalisation
from netgen.ir.origin import Origin
from netgen.ir.text import parse_graph, print_graph
from netgen.ir.verify import verify
from netgen.passes.take_pixels import take_pixels
from netgen.runtime.declared_inputs import declared_inputs
from tests.passes.test_cases import seeded

TWO = Normalisation((0.25, 0.5), (0.5, 0.125))
FLOATS = """netgen 1
graph net {
  %x : f32[1,4,4,2] = input
  %w : f32[3,3,3,2] = const {data=@w}
  %y : f32[1,4,4,3] = conv2d(%x, %w) {pad=1}
  return %y, %x
}
"""
CHANNELS_FIRST = """netgen 1
graph net {
  %x : f32[1,2,4,3] = input
  %t : f32[1,4,3,2] = transpose(%x) {axes=(0,2,3,1)}
  %r : f32[1,4,3,2] = relu(%t)
  return %r
}
"""
CODES = """netgen 1
graph net {
  %x : i8[1,3,3,2] {scale=0x1p-4, zero=-1} = input
  %w : i8[2,1,1,2] {scale=0x1p-6} = const {data=@w}
  %y : i8[1,3,3,2] {scale=0x1p-2, zero=5} = conv2d(%x, %w) {scale=0x1p-2, zero=5}
  return %y
}
"""


def body(graph: Graph) -> list[str]:
    """The statements, with single spaces."""
    return [" ".join(line.split()) for line in print_graph(graph).splitlines()[2:-1]]


def test_floats_are_normalised_before_all_that_read_them() -> None:
    graph = verify(take_pixels(seeded(FLOATS), TWO))
    assert body(graph) == [
        "%x : u8[1,4,4,2] = input",
        "%x.scale : f32[2] = const {data=@x.scale}",
        "%x.shift : f32[2] = const {data=@x.shift}",
        "%x.normalized : f32[1,4,4,2] = normalize(%x, %x.scale, %x.shift)",
        "%w : f32[3,3,3,2] = const {data=@w}",
        "%y : f32[1,4,4,3] = conv2d(%x.normalized, %w) {pad=1}",
        "return %y, %x.normalized",
    ]
    assert graph.origin is not None
    assert graph.origin.normalisation == TWO
    np.testing.assert_allclose(graph.constants["x.scale"], [2 / 255, 8 / 255], rtol=1e-7)
    np.testing.assert_array_equal(graph.constants["x.shift"], [-0.5, -4.0])


def test_channels_are_brought_to_the_end_as_bytes() -> None:
    graph = verify(take_pixels(seeded(CHANNELS_FIRST), TWO))
    assert [line for line in body(graph) if "const" not in line] == [
        "%x : u8[1,2,4,3] = input",
        "%t : u8[1,4,3,2] = transpose(%x) {axes=(0,2,3,1)}",
        "%t.normalized : f32[1,4,3,2] = normalize(%t, %x.scale, %x.shift)",
        "%r : f32[1,4,3,2] = relu(%t.normalized)",
        "return %r",
    ]


def test_codes_are_shifted() -> None:
    graph = verify(take_pixels(seeded(CODES)))
    assert [line for line in body(graph) if "const" not in line] == [
        "%x : u8[1,3,3,2] {scale=0x1p-4, zero=127} = input",
        "%x.shifted : i8[1,3,3,2] {scale=0x1p-4, zero=-1} = quantize(%x) {scale=0x1p-4, zero=-1}",
        "%y : i8[1,3,3,2] {scale=0x1p-2, zero=5} = conv2d(%x.shifted, %w) {scale=0x1p-2, zero=5}",
        "return %y",
    ]


@pytest.mark.parametrize(
    ("text", "given"),
    [(FLOATS, TWO), (CHANNELS_FIRST, TWO), (CODES, None)],
    ids=["floats", "channels first", "codes"],
)
def test_the_numbers_stay(text: str, given: Normalisation | None) -> None:
    declared = seeded(text)
    graph = take_pixels(declared, given)
    shape = graph.inputs[0].type.shape
    pixels = {"x": np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)}
    expected = interpret(declared, declared_inputs(declared, graph, pixels))
    found = interpret(graph, pixels)
    for old, new in zip(declared.outputs, graph.outputs, strict=True):
        np.testing.assert_allclose(found[new], expected[old], rtol=0, atol=2e-6)


def test_bytes_stay_and_a_second_time_changes_nothing() -> None:
    for text, given in ((FLOATS, TWO), (CODES, None)):
        graph = take_pixels(seeded(text), given)
        assert print_graph(take_pixels(graph, given)) == print_graph(graph)


def test_the_origin_says_how_pixels_are_normalised() -> None:
    declared = seeded(FLOATS)
    known = declared.with_constants(declared.constants, Origin("net", normalisation=TWO))
    assert print_graph(take_pixels(known)) == print_graph(take_pixels(declared, TWO))


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        (FLOATS, None, "'x': .* does not say how its input is normalised; give --mean and --std"),
        (FLOATS, Normalisation((0.5,), (1.0,)), r"'x': .* other channels, expected \(..., 1\)"),
        (CHANNELS_FIRST, Normalisation((0.5,), (1.0,)), "for other channels"),
        (CODES, TWO, "'x': this network takes codes, which are not normalised; leave out mean"),
        (
            "netgen 1\ngraph net {\n  %x : i16[1,4] {scale=0x1p-4} = input\n"
            "  %y : f32[1,4] = dequantize(%x)\n  return %y\n}\n",
            None,
            "'x': this input has no form in bytes, expected f32, u8, or i8 of one scale, found i16",
        ),
    ],
)
def test_what_cannot_take_bytes(text: str, given: Normalisation | None, message: str) -> None:
    graph = parse_graph(text)[0]
    with pytest.raises(UsageError, match=message):
        take_pixels(graph, given)
