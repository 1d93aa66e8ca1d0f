"""The float twin: operator by operator it gives the numbers that codes stand for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from netgen.compiler import load
from netgen.errors import GraphError
from netgen.export.float_twin import float_twin, real_numbers
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array
from netgen.ir.text import parse_graph, print_graph
from netgen.runtime.compare import seeded_inputs
from netgen.runtime.photos import load_photo
from tests.cases import heavy

# Where codes do not saturate they are rounded, sums of two operands twice.
ROUNDED = 1.1


def graph_of(body: str, **arrays: Array) -> Graph:
    graph = parse_graph(f"netgen 1\ngraph codes {{\n{body}\n}}")[0]
    return graph.with_constants(arrays)


def numbers(graph: Graph, codes: Mapping[str, Array]) -> dict[str, Array]:
    return {name: real_numbers(array, graph[name].type) for name, array in codes.items()}


def distances(graph: Graph, inputs: Mapping[str, Array]) -> dict[str, float]:
    """Distances of values from their twins' of the same operands, in scales, if not saturated."""
    twin, codes = float_twin(graph), interpret(graph, inputs)
    real = numbers(graph, codes)
    found = {}
    for node in graph.activations:
        if node.type.quantisation is not None:
            scale = node.type.quantisation.scale
            assert isinstance(scale, float)
            apart = np.abs(step(twin, node.name, real) - real[node.name]) / scale
            element, code = node.type.element, codes[node.name]
            free = (code > element.low) & (code < element.high)
            found[node.name] = float((apart * free).max())
            assert free.mean() > 0.25, f"%{node.name} tells nothing"
    return found


def step(twin: Graph, name: str, real: Mapping[str, Array]) -> Array:
    """One value of the twin, of operands as the graph of codes has them."""
    node, operands = twin[name], list[Array]()
    for operand in node.operands:
        if twin.is_const(operand):
            operands.append(twin.constant(operand).astype(np.float64))
        else:
            operands.append(
                real[operand].astype(np.float64) if operand in real else step(twin, operand, real)
            )
    return node.op.reference(operands, twin.signature(node))


CONV = """
  %x   : u8[1,8,8,3] {scale=0x1p-7, zero=128}   = input
  %q   : i8[1,8,8,3] {scale=0x1p-7}             = quantize(%x) {scale=0x1p-7}
  %c.w : i8[4,1,1,3] {scale=@s, axis=0}         = const {data=@w}
  %c.b : i32[4]                                 = const {data=@b}
  %c   : i8[1,8,8,4] {scale=0x1p-6, zero=-128}  = conv2d(%q, %c.w, %c.b) {scale=0x1p-6, zero=-128}
  %y   : f32[1,8,8,4]                           = dequantize(%c)
  return %y
"""
WEIGHTS = np.arange(-6, 6, dtype=np.int8).reshape(4, 1, 1, 3) * np.int8(20)
SCALES = np.array([0.5, 0.25, 0.125, 1.0], np.float32) / np.float32(64.0)
BIAS = np.array([100, -200, 3000, 0], np.int32)


def test_before_and_after() -> None:
    twin = float_twin(graph_of(CONV, w=WEIGHTS, b=BIAS, s=SCALES))
    expected = graph_of("""
      %x   : f32[1,8,8,3] = input
      %q   : f32[1,8,8,3] = identity(%x)
      %c.w : f32[4,1,1,3] = const {data=@c.w}
      %c.b_ : f32[4]      = const {data=@c.b_}
      %c   : f32[1,8,8,4] = conv2d(%q, %c.w, %c.b_) {act=relu}
      %y   : f32[1,8,8,4] = identity(%c)
      return %y
    """)
    assert print_graph(twin) == print_graph(expected)
    assert np.array_equal(twin.constants["c.w"], WEIGHTS * SCALES[:, None, None, None])
    assert np.array_equal(twin.constants["c.b_"], BIAS * SCALES / 128.0)


def test_floats_are_their_own_twin() -> None:
    graph = graph_of("%x : f32[1,2,2,3] = input\n%y : f32[1,2,2,3] = relu(%x)\nreturn %y")
    assert float_twin(graph) is graph


SHARED_BIAS = """
  %x : u8[1,6] {scale=0x1p-7, zero=100}    = input
  %w : u8[5,6] {scale=0x1p-6, zero=90}     = const {data=@w}
  %v : u8[5,5] {scale=0x1p-8, zero=140}    = const {data=@v}
  %b : i32[5]                              = const {data=@b}
  %m : u8[1,5] {scale=0x1p-5, zero=120}    = linear(%x, %w, %b) {scale=0x1p-5, zero=120}
  %y : u8[1,5] {scale=0x1p-4, zero=120}    = linear(%m, %v, %b) {scale=0x1p-4, zero=120}
  return %y
"""
OPERATORS = """
  %x : i8[1,6,6,4] {scale=0x1p-5, zero=3}      = input
  %z : i8[1,6,6,4] {scale=0x1p-6, zero=-9}     = input
  %k : i8[1,1,1,4] {scale=0x1p-6, zero=5}      = const {data=@k}
  %p : i8[1,8,8,4] {scale=0x1p-5, zero=3}      = pad(%x) {pad=1, value=0x1.cp2}
  %m : i8[1,4,4,4] {scale=0x1p-5, zero=3}      = max_pool2d(%p) {kernel=2, stride=2, act=relu6}
  %a : i8[1,6,6,4] {scale=0x1p-4, zero=10}     = add(%x, %z) {scale=0x1p-4, zero=10}
  %t : i8[1,6,6,4] {scale=0x1p-5, zero=-2}     = mul(%z, %k) {scale=0x1p-5, zero=-2}
  %r : i8[1,6,6,4] {scale=0x1p-5, zero=3}      = rescale(%t) {scale=0x1p-5, zero=3}
  %c : i8[1,6,6,8] {scale=0x1p-5, zero=3}      = concat(%x, %r)
  %s : i8[1,6,6,8] {scale=0x1p-8, zero=-128}   = sigmoid(%c) {scale=0x1p-8, zero=-128}
  %g : i8[1,1,1,8] {scale=0x1p-8, zero=-128}   = global_avg_pool(%s)
  %e : i8[1,1,1,8] {scale=0x1p-8, zero=-128}   = softmax(%g) {scale=0x1p-8, zero=-128}
  return %e, %m, %a
"""
DRAW = np.random.default_rng(5)


@pytest.mark.parametrize(
    ("body", "arrays"),
    [
        (CONV, {"w": WEIGHTS, "b": BIAS, "s": SCALES}),
        (
            SHARED_BIAS,
            {
                "w": DRAW.integers(0, 256, (5, 6)).astype(np.uint8),
                "v": DRAW.integers(0, 256, (5, 5)).astype(np.uint8),
                "b": np.array([900, -700, 0, 300, -200], np.int32),
            },
        ),
        (OPERATORS, {"k": np.array([60, -60, 5, 127], np.int8).reshape(1, 1, 1, 4)}),
    ],
    ids=["conv", "shared_bias", "operators"],
)
def test_operators(body: str, arrays: dict[str, Array]) -> None:
    graph = graph_of(body, **arrays)
    found = distances(graph, seeded_inputs(graph))
    assert found
    assert {name: apart for name, apart in found.items() if apart > ROUNDED} == {}


@pytest.mark.parametrize(
    ("codes", "act"),
    [
        ("u8[1,2,2,3] {scale=0x1p-7}", "relu"),
        ("u8[1,2,2,3] {scale=0x1.817d96p-6}", "relu6"),
        ("i8[1,2,2,3] {scale=0x1.818182p-6, zero=-128}", "relu6"),
        ("i8[1,2,2,3] {scale=0x1.020408p-7}", "none"),
        ("u8[1,2,2,3] {scale=0x1.020408p-7, zero=1}", "none"),
        ("i8[1,2,2,3] {scale=0x1.010102p-7, zero=-1}", "none"),
    ],
)
def test_activations_that_a_range_of_codes_implies(codes: str, act: str) -> None:
    kind, _, own = codes.partition(" ")
    element = kind.partition("[")[0]
    graph = graph_of(
        f"%x : {element}[1,2,2,3] {{scale=0x1p-4, zero=9}} = input\n"
        f"%y : {codes} = add(%x, %x) {own}\nreturn %y"
    )
    assert float_twin(graph)["y"].op.activation == act


def test_states_begin_as_the_numbers_of_their_codes() -> None:
    graph = graph_of(
        """
      %x : i8[1,1,1,4] {scale=0x1p-5, zero=3} = input
      %h : i8[1,1,1,4] {scale=0x1p-5, zero=3} = state {data=@h}
      %y : i8[1,1,1,4] {scale=0x1p-4, zero=1} = add(%x, %h) {scale=0x1p-4, zero=1}
      next %h = %x
      return %y
    """,
        h=np.array([3, 4, 7, -1], np.int8).reshape(1, 1, 1, 4),
    )
    twin = float_twin(graph)
    assert twin.next_values == {"h": "x"}
    assert twin.constants["h"].ravel().tolist() == [0.0, 1 / 32, 1 / 8, -1 / 8]


def test_integers_without_a_scale() -> None:
    graph = graph_of("%x : i32[1,2,2,3] = input\nreturn %x")
    with pytest.raises(GraphError, match="%x: these integers stand for no real numbers"):
        float_twin(graph)
    with pytest.raises(GraphError, match="stand for no real numbers"):
        real_numbers(np.zeros((1, 2), np.int32), graph["x"].type)


FILES = [
    "mlperf_tiny/kws_ref_model",
    "mlperf_tiny/pretrainedResnet_quant",
    heavy("mlperf_tiny/vww_96_int8"),
    heavy("tflite_models/mobilenet_v2_1.0_224_ptq"),
]


def real_input(shared_data: Path, name: str, kind: str, size: int) -> Array:
    """An input that somebody would give to the model."""
    if name == "kws_ref_model":
        with np.load(shared_data / "kws" / "kws_dev_200.npz") as file:
            return np.asarray(file["x"][0], np.int8).reshape(1, 49, 10, 1)
    if name == "pretrainedResnet_quant":
        with np.load(shared_data / "cifar10" / "cifar10_dev_1000.npz") as file:
            pixels = np.asarray(file["x"][:1], np.uint8)
    else:
        photo = min((shared_data / "photos").glob("*.jpg"))
        pixels = load_photo(photo, (size, size))[None]
    return pixels if kind == "u8" else (pixels.astype(int) - 128).astype(np.int8)


@pytest.mark.parametrize("file", FILES)
def test_published_files(shared_data: Path, file: str) -> None:
    graph = load(str(shared_data / f"{file}.tflite"))
    (x,), (y,) = graph.inputs, graph.outputs
    inputs = {x.name: real_input(shared_data, Path(file).name, x.type.dtype, x.type.shape[1])}
    codes, twin = interpret(graph, inputs), float_twin(graph)
    floats = interpret(twin, numbers(graph, inputs))
    kind = graph[y].type
    assert kind.quantisation is not None
    # A few codes of a softmax, in 256ths: what many layers round adds up.
    apart = np.abs(real_numbers(codes[y], kind) - floats[y]).max()
    assert apart <= 8 / 256
    assert np.argmax(codes[y]) == np.argmax(floats[y])
