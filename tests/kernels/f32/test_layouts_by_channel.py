"""Kernels that work channel by channel, on layouts of every kind, as compiled C against NumPy.

Every case also runs with dense buffers: a layout may not change a bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from netgen.emission.kernels import kernel_function
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import TensorType
from netgen.kernels import find_kernel
from netgen.kernels.layer import Layer
from netgen.kernels.layout import Layout, dense_layout, layout_of
from netgen.kernels.stretches import stretches_of
from netgen.kernels.targets import find_target
from netgen.ops.add import Add
from netgen.ops.avg_pool2d import AvgPool2d
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.channel_map import channel_map_op
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.hard_swish import HardSwish
from netgen.ops.identity import Identity
from netgen.ops.leaky_relu import LeakyRelu
from netgen.ops.max_pool2d import MaxPool2d
from netgen.ops.mul import Mul
from netgen.ops.pad import Pad
from netgen.ops.relu import Relu
from netgen.ops.sigmoid import Sigmoid
from netgen.ops.spatial_slice import SpatialSlice
from netgen.runtime.cpu import missing_features
from tests.cases import examples
from tests.emission.expressions import evaluate
from tests.kernels.laid_out import SANITIZERS, Call, Floats, disjoint_layouts, layouts, run_calls
from tests.meaning import meaning

X86_LEVELS = ("x86-64-v4", "x86-64-v3", "x86-64-v2")
# The one that works with loops over lanes, and the widest vectors of this machine.
TARGETS = ("generic", *[t for t in X86_LEVELS if not missing_features(find_target(t))][:1])
# Examples are whole programs of several calls.
PROGRAMS = settings(examples(8), phases=[Phase.generate], suppress_health_check=[*HealthCheck])

LIMIT = 3e-6
# Channels that are visited one by one are a lot of C.
SCRAMBLED = 32
CHANNELS = st.sampled_from((1, 3, 24, 29, 58)) | st.sampled_from((16, 32, 48, 64))
ACTS = st.sampled_from(("none", "relu", "relu6", "hard_swish"))
SIDES = st.tuples(*[st.integers(0, 2)] * 4)
STRIDES = st.tuples(*[st.integers(1, 3)] * 2)
EXTENTS = st.integers(3, 9)
KERNELS = {
    "depthwise": "depthwise_conv2d_f32",
    "plain_depthwise": "depthwise_conv2d_portable_f32",
    "multiplied": "depthwise_conv2d_portable_f32",
    "max_pool": "max_pool2d_f32",
    "avg_pool": "avg_pool2d_f32",
    "plain_max_pool": "max_pool2d_portable_f32",
    "plain_avg_pool": "avg_pool2d_portable_f32",
    "global_avg_pool": "global_avg_pool_f32",
    "add": "add_f32",
    "mul": "mul_f32",
    "gate": "mul_f32",
    "add_constant": "add_constant_f32",
    "scale": "mul_constant_f32",
    "activation": "activation_f32",
    "copy": "copy",
    "batch_norm": "batch_norm_f32",
    "pad": "pad",
    "slice": "spatial_slice",
    "map": "channel_map",
}
COPIES = {"pad", "slice", "map"}

Shape = tuple[int, ...]


@st.composite
def operators(draw: st.DrawFn, kind: str) -> tuple[Operator, tuple[Shape, ...]]:
    """An operator and the shapes of its operands."""
    c = draw(CHANNELS)
    x = (1, draw(EXTENTS), draw(EXTENTS), c)
    if kind in {"depthwise", "plain_depthwise", "multiplied"}:
        return draw(depthwise(kind, x))
    if kind == "map":
        return draw(channel_maps(x))
    window = (3, 2), draw(STRIDES), (1, 1, 0, 1)
    act = draw(ACTS)
    op: dict[str, Operator] = {
        "max_pool": MaxPool2d(*window),
        "avg_pool": AvgPool2d(*window),
        "plain_max_pool": MaxPool2d(*window),
        "plain_avg_pool": AvgPool2d(*window),
        "global_avg_pool": GlobalAvgPool(),
        "add": Add(act=act),
        "mul": Mul(act=act),
        "gate": Mul(act=act),
        "add_constant": Add(act=act),
        "scale": Mul(act=act),
        "activation": draw(st.sampled_from((Relu(), HardSwish(), Sigmoid(), LeakyRelu(0.1)))),
        "copy": Identity(),
        "batch_norm": BatchNorm(eps=1e-3),
        "pad": Pad(draw(SIDES)),
        "slice": SpatialSlice((1, 0), (2, 2), (1, 2)),
    }
    second: dict[str, tuple[Shape, ...]] = dict.fromkeys(("add", "mul", "add_constant"), (x,))
    second |= dict.fromkeys(("gate", "scale"), ((1, 1, 1, c),))
    second["batch_norm"] = ((c,),) * 4
    return op[kind], (x, *second.get(kind, ()))


@st.composite
def depthwise(draw: st.DrawFn, kind: str, x: Shape) -> tuple[Operator, tuple[Shape, ...]]:
    """A convolution for the kernel of vectors or the portable one, with or without a bias."""
    m = draw(st.integers(2, 3)) if kind == "multiplied" else 1
    c = max(x[3] // m, 1)
    size = draw(st.sampled_from((1, 3, 5)))
    dilation = (1, 1) if kind == "depthwise" else draw(st.sampled_from(((1, 1), (2, 1))))
    op = DepthwiseConv2d(draw(STRIDES), (size // 2 * dilation[0],) * 4, dilation, draw(ACTS))
    operands = ((*x[:3], c), (c * m, size, size, 1), (c * m,))
    return op, operands if draw(st.booleans()) else operands[:2]


@st.composite
def channel_maps(draw: st.DrawFn, x: Shape) -> tuple[Operator, tuple[Shape, ...]]:
    """Slices of some values and zeros, in a row or dealt out in turn."""
    counts = [x[3], *draw(st.lists(CHANNELS, max_size=2))]
    runs = [[(-1, 0)] * draw(st.integers(0, 5))]
    for number, count in enumerate(counts):
        first, step = draw(st.integers(0, count - 1)), draw(st.integers(1, 3))
        runs.append([(number, channel) for channel in range(first, count, step)])
    runs = draw(st.permutations(runs))
    channels = [channel for run in runs for channel in run]
    if draw(st.booleans()):
        longest = max(map(len, runs))
        channels = [run[n] for n in range(longest) for run in runs if n < len(run)]
    return channel_map_op(channels), tuple((*x[:3], count) for count in counts)


@st.composite
def calls(draw: st.DrawFn, kind: str) -> Call:
    """A kernel with buffers of its own for every value, with shared pixels, or in place."""
    kernel = find_kernel(KERNELS[kind])
    op, shapes = draw(operators(kind))
    types = [TensorType("f32", shape) for shape in shapes]
    operands = dict(zip(op.letters(len(types)), types, strict=False))
    constant = frozenset(operands) & frozenset(kernel.constants)
    layer = Layer(op, operands, op.infer(types), constant)
    assert kernel.accepts(layer), layer
    reads = [letter for letter in operands if letter not in constant]
    values = some_values(operands, draw(st.integers(0, 99)))
    counts = {a: operands[a].shape[-1] for a in reads} | {"y": layer.result.shape[-1]}
    where = draw(st.sampled_from(("apart", "apart", "beside", "in place")))
    if where == "beside":
        found = dict(
            zip(
                counts,
                draw(disjoint_layouts(*counts.values(), most_scrambled=SCRAMBLED)),
                strict=True,
            )
        )
        return Call(kernel, laid_out(layer, found), values, dict.fromkeys(reads, 0))
    found = {
        letter: draw(layouts(count, most_scrambled=SCRAMBLED)) for letter, count in counts.items()
    }
    if where == "in place" and kernel.overlap(layer):
        letter = draw(st.sampled_from(sorted(kernel.overlap(layer))))
        layer = laid_out(layer, {**found, letter: found["y"]})
        return Call(kernel, layer, values, {letter: kernel.overlap(layer)[letter]})
    return Call(kernel, laid_out(layer, found), values)


EVERY_KIND = st.tuples(*[calls(kind) for kind in KERNELS])


def laid_out(layer: Layer, found: dict[str, Layout]) -> Layer:
    return Layer(layer.op, layer.operands, layer.result, layer.constant, found)


def some_values(operands: dict[str, TensorType], seed: int) -> dict[str, Floats]:
    draw = np.random.default_rng(seed)
    values = {a: draw.standard_normal(t.shape).astype(np.float32) for a, t in operands.items()}
    if "var" in values:
        values["var"] = np.abs(values["var"]) + np.float32(0.5)
    return values


def dense(call: Call) -> Call:
    return Call(call.kernel, laid_out(call.layer, {}), call.values)


def check(found: Sequence[Call], target: str, folder: Path, flags: Sequence[str] = ()) -> None:
    """Right, and the same with dense buffers, of those that the target may choose."""
    found = [call for call in found if call.kernel.runs_on(find_target(target))]
    both = [*found, *(dense(call) for call in found)]
    results = run_calls(both, target, folder, flags=flags)
    for call, y, same in zip(found, results[: len(found)], results[len(found) :], strict=True):
        operands = [call.values[a].astype(np.float64) for a in call.layer.operands]
        expected = meaning(call.layer.op, operands)
        error = np.abs(y - expected).max() / max(np.abs(expected).max(), 0.1)
        assert error < LIMIT, call
        if call.kernel.numeric_form == "copy":
            np.testing.assert_array_equal(y, expected, str(call))
        np.testing.assert_array_equal(y.view("u4"), same.view("u4"), str(call))


@pytest.mark.parametrize(
    "target", [pytest.param(t, marks=pytest.mark.heavy if t == "generic" else []) for t in TARGETS]
)
def test_every_layout_gives_the_same(target: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    @PROGRAMS
    @given(EVERY_KIND)
    def run(found: tuple[Call, ...]) -> None:
        check(found, target, tmp_path_factory.mktemp("calls"))

    run()


@pytest.mark.parametrize(
    "target", [pytest.param(t, marks=pytest.mark.heavy if t == "generic" else []) for t in TARGETS]
)
def test_nothing_outside_the_buffers_is_touched(
    target: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    @settings(PROGRAMS, max_examples=1)
    @given(EVERY_KIND)
    def run(found: tuple[Call, ...]) -> None:
        check(found, target, tmp_path_factory.mktemp("calls"), SANITIZERS)

    run()


@given(st.integers(1, 64).flatmap(lambda c: st.tuples(layouts(c), layouts(c))))
def test_stretches_visit_every_channel_where_it_stands(pair: tuple[Layout, Layout]) -> None:
    x, y = pair
    order = sorted(range(y.channels), key=y.places().tolist().__getitem__)
    places = {"x": x.places()[order], "y": y.places()[order]}
    visited = []
    for stretch in stretches_of(places):
        for n in range(stretch.first, stretch.end):
            found = {a: evaluate(line.place("n"), {"n": n}) for a, line in stretch.lines.items()}
            assert found == {a: at[n] for a, at in places.items()}
            visited.append(n)
    assert visited == [*range(y.channels)]


@pytest.mark.parametrize(
    ("places", "loops"),
    [
        (range(58), 1),
        ([*range(29, 58), *range(29)], 2),
        # Dealt out in turn, and what stands between stays together.
        ([p for n in range(29) for p in (n, n + 29)], 29),
        (range(0, 116, 2), 1),
        ([0, 5, 6, 7, 8, 3], 3),
        ([*range(10, 14), 0, 2, 4, *range(20, 23)], 3),
        ([7], 1),
    ],
)
def test_stretches_are_few(places: Sequence[int], loops: int) -> None:
    at = np.array(places)
    assert len(stretches_of({"x": at, "y": np.arange(len(at))})) == loops


def binary(op: Operator, found: dict[str, Layout]) -> Layer:
    kind = TensorType("f32", (1, 2, 3, 4))
    return Layer(op, dict(zip("ab", (kind, kind), strict=True)), kind, frozenset(), found)


def text_of(kernel_name: str, layer: Layer) -> str:
    kernel = find_kernel(kernel_name)
    parameters = {**kernel.parameters(layer, find_target("generic")), "aliased": []}
    reads = tuple(layer.operands)
    return kernel_function(kernel.instance(layer, "f", reads, parameters), "t").text


def test_values_that_all_stand_alike_are_one_loop() -> None:
    permuted = layout_of(4, [2, 0, 3, 1])
    plain = text_of("add_f32", binary(Add(), {}))
    assert "enum { elements = 24 };" in plain
    assert text_of("add_f32", binary(Add(), dict.fromkeys("aby", permuted))) == plain
    # Not where one stands otherwise, nor where the loop would run over gaps.
    assert text_of("add_f32", binary(Add(), dict.fromkeys("ab", permuted))) != plain
    apart = layout_of(5, [0, 1, 2, 3])
    assert "a_pitch = 5, b_pitch = 5, y_pitch = 5" in text_of(
        "add_f32", binary(Add(), dict.fromkeys("aby", apart))
    )


def test_outputs_take_the_place_of_operands_that_stand_alike() -> None:
    some, other = layout_of(9, [2, 0, 8, 1]), layout_of(9, [2, 0, 1, 8])
    add, dense_four = find_kernel("add_f32"), dense_layout(4)
    assert add.overlap(binary(Add(), {})) == {"a": 0, "b": 0}
    assert add.overlap(binary(Add(), {"a": dense_four})) == {"a": 0, "b": 0}
    assert add.overlap(binary(Add(), {"a": some, "b": other, "y": some})) == {"a": 0}
    assert add.overlap(binary(Add(), {"a": layout_of(10, [2, 0, 8, 1]), "y": some})) == {}
    op = DepthwiseConv2d(pad=(1, 1, 1, 1))
    image, taps = TensorType("f32", (1, 7, 6, 4)), TensorType("f32", (4, 3, 3, 1))
    for kernel in map(find_kernel, ("depthwise_conv2d_f32", "activation_f32", "batch_norm_f32")):
        for found in ({}, dict.fromkeys("xy", some), {"x": some, "y": other}, {"y": some}):
            distance = kernel.overlap(Layer(op, {"x": image, "w": taps}, image, layouts=found))
            alike = found.get("x") == found.get("y")
            # A row of 6 pixels and one more, in pixels of 4 or 9 places.
            pixels = 4 * (9 if found else 4) * 7 if kernel.name.startswith("depthwise") else 0
            assert distance == ({"x": pixels} if alike else {})
