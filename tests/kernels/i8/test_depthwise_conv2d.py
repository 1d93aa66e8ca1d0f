"""Depthwise convolutions of codes in C: layouts, bands, borders, parts; on all targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netgen.errors import PlanError, WeightsError
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import ELEMENTS, ElementType, Quantisation, TensorType
from netgen.kernels.geometry import reaches_image
from netgen.kernels.i8.depthwise_conv2d import DepthwiseConv2dI8
from netgen.kernels.i8.float_forms import Codes, FloatForm, Sums, find_affine
from netgen.kernels.i8.scalings import Scaling
from netgen.kernels.layer import BandShape, Layer
from netgen.kernels.layout import Layout, dense_layout, layout_of
from netgen.kernels.targets import Compiler, find_target
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.window import Window
from netgen.plan.build import build_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.packing import pack_weights
from netgen.plan.pareto import pareto
from netgen.plan.requantised import requantised, requantised_lines
from tests.emission.programs import SANITIZERS, WARNINGS
from tests.kernels.i8.coded_calls import CodedCall, run_coded
from tests.kernels.i8.random_networks import Drawing
from tests.kernels.i8.test_random_networks import mismatches
from tests.tools import any_compiler, compiler_for, require_processor

KERNEL = DepthwiseConv2dI8()
TARGETS = ("x86-64-v3", "x86-64-v4", "x86-64-v4-vnni", "aarch64")


def drawn(seed: int, target: str) -> CodedCall | None:
    """A layer with all of its sizes, scales and places drawn; None if it does not reach its x."""
    draw = np.random.default_rng(seed)
    element = ELEMENTS[str(draw.choice(["i8", "i8", "i8", "u8"]))]
    layer = _layer(draw, element)
    assert isinstance(layer.op, DepthwiseConv2d)
    window = layer.op.window(layer.operands["w"].shape)
    if not reaches_image(layer, window):
        return None
    layer, first = _in_band(_laid_out(layer, draw), window, draw)
    choices = KERNEL.choices(layer, find_target(target))
    if draw.random() < 0.6:
        layer = replace(layer, choice=choices[int(draw.integers(len(choices)))])
    values = {
        letter: draw.integers(low, high + 1, layer.operands[letter].shape).astype(storage)
        for letter, low, high, storage in (
            ("x", element.low, element.high, element.storage),
            ("w", element.low, element.high, element.storage),
            ("b", -(2**12), 2**12, np.int32),
        )
    }
    channels = layer.result.shape[3]
    scale = (2.0 ** draw.uniform(-11, -4, channels)).astype(np.float32).astype(np.float64)
    quantisation, split = layer.operands["w"].quantisation, None
    assert quantisation is not None
    if (threads := int(draw.integers(1, 4))) > 1:
        over = frozenset({"x"} if draw.random() < 0.5 else ())
        split = KERNEL.split(layer, find_target(target), threads, over)
    scales = {} if quantisation.axis is None else {"w.scale": scale}
    return CodedCall(KERNEL, layer, values, scales, first, split)


def _layer(draw: np.random.Generator, element: ElementType) -> Layer:
    """Window, image, channels, zero points and scales, some of which shift sums to the left."""
    size = draw.choice([1, 2, 3, 3, 3, 4, 5, 7], 2).tolist()
    dilation = tuple(draw.choice([1, 1, 1, 2], 2).tolist())
    top, bottom, left, right = (int(draw.integers(0, size[n // 2])) for n in range(4))
    pad = top, bottom, left, right
    reach = [(size[n] - 1) * dilation[n] + 1 for n in range(2)]
    image = [int(draw.integers(max(reach[n] - pad[2 * n], 1), 20)) for n in range(2)]
    channels = int(draw.choice([1, 3, 8, 16, 24, 40, 64, 67, 96, int(draw.integers(1, 140))]))
    zeros = draw.integers(element.low, element.high + 1, 3).tolist()
    signed = element.name == "i8"
    op = DepthwiseConv2d(
        tuple(draw.choice([1, 1, 2, 3], 2).tolist()),
        pad,
        dilation,
        act=str(draw.choice(["none", "relu", "relu6"])),
        scale=float(np.float32(2.0 ** draw.uniform(-6, -3))),
        zero=zeros[2],
        rounding=str(draw.choice(["fixed", "fixed32", "even"])),
    )
    x = TensorType(
        element.name,
        (1, *image, channels),
        Quantisation(2.0 ** float(draw.choice([-5, -5, -5, 0, 3])), zeros[1]),
    )
    along = Quantisation("w.scale", 0, 0) if signed and draw.random() < 0.8 else None
    one = Quantisation(2.0**-8, 0 if signed else zeros[0])
    w = TensorType(element.name, (channels, *size, 1), along or one)
    b = TensorType("i32", (channels,), along)
    y = op.result_type([x, w, b])
    return Layer(op, {"x": x, "w": w, "b": b}, y, frozenset({"w", "b"}))


def _in_band(layer: Layer, window: Window, draw: np.random.Generator) -> tuple[Layer, int]:
    """The layer, or some rows of it from a row on."""
    if draw.random() < 0.6:
        return layer, 0
    height, width = layer.operands["x"].shape[1:3]
    rows = int(draw.integers(1, layer.result.shape[1] + 1))
    reach = (rows - 1) * window.stride[0] + (window.size[0] - 1) * window.dilation[0] + 1
    slots = min(reach + int(draw.integers(0, 3)), height)
    band = BandShape(rows, slots, width + int(draw.integers(0, 3)))
    return replace(layer, band=band), int(draw.integers(0, layer.result.shape[1] - rows + 1))


def _laid_out(layer: Layer, draw: np.random.Generator) -> Layer:
    """The layer with places for the channels of x and y: in order, in runs, or anywhere."""
    channels = layer.result.shape[3]
    way = draw.random()
    if way < 0.3:
        return layer

    def layout(zero: int) -> Layout:
        kind = draw.random()
        pitch = channels + int(draw.integers(0, 9))
        if kind < 0.3:
            return dense_layout(channels, zero)
        if kind < 0.5 and channels < 70:
            return layout_of(pitch, draw.permutation(pitch)[:channels])
        cut, gap = int(draw.integers(channels + 1)), pitch - channels
        places = np.concatenate([np.arange(cut, channels) - cut, np.arange(pitch - cut, pitch)])
        return layout_of(pitch, places[::-1] if kind > 0.95 and gap < 4 else places)

    x, y = layout(layer.operands["x"].zero), layout(layer.result.zero)
    return replace(layer, layouts={"x": x, "y": y})


def calls_of(seeds: Sequence[int], target: str) -> list[CodedCall]:
    """Drawn calls whose sums fit int32."""
    calls = []
    for seed in seeds:
        call = drawn(seed, target)
        if call is None:
            continue
        try:
            call.packed(find_target(target))
        except WeightsError:
            continue
        calls.append(call)
    return calls


def agree(calls: Sequence[CodedCall], target: str, folder: Path, command: Sequence[str]) -> None:
    found = run_coded(calls, find_target(target), folder, command)
    for call, codes in zip(calls, found, strict=True):
        np.testing.assert_array_equal(
            codes.reshape(-1), call.expected().reshape(-1), str(call.layer)
        )


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.heavy)])
def test_codes_are_those_of_the_operator(target: str, compiler: Compiler, tmp_path: Path) -> None:
    calls = calls_of(range(5), target)
    command = compiler_for(target, compiler, for_values=True)
    agree(calls, target, tmp_path, [*command, *WARNINGS])


def test_processors_without_the_vectors_give_the_same_codes(tmp_path: Path) -> None:
    """The constants are those of a target; the compiler may be for another processor."""
    for number, target in enumerate(TARGETS):
        calls = calls_of(range(20 + 2 * number, 22 + 2 * number), target)
        agree(calls, target, tmp_path, [any_compiler(), "-std=c99", "-O1", *SANITIZERS, *WARNINGS])


@pytest.mark.usefixtures("as_users_compile")
@pytest.mark.heavy
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("first", range(100, 140, 10))
def test_many_layers(target: str, first: int, tmp_path: Path) -> None:
    calls = calls_of(range(first, first + 10), target)
    agree(calls, target, tmp_path, compiler_for(target, any_compiler()))


def chain(seed: int) -> Graph:
    """Three of them one after the other, each of which may take the place of what it reads."""
    drawing = Drawing(np.random.default_rng(seed), ("i8", "u8")[seed % 2])
    x = drawing.image((1, 9, 6, 24))
    for stride in ((1, 1), (2, 1), (1, 2)):
        x = drawing.weighted(DepthwiseConv2d(stride, (1, 1, 1, 1)), x, (24, 3, 3, 1))
    return Graph(f"chain{seed}", drawing.nodes, [x], drawing.constants)


@pytest.mark.parametrize(
    "target",
    [pytest.param(name, marks=[pytest.mark.heavy] * (name == TARGETS[1])) for name in TARGETS],
)
def test_results_may_take_the_place_of_what_is_read(target: str) -> None:
    require_processor(target)
    seen = set()
    for seed in (3, 6):
        graph = chain(seed)
        least = pareto(graph, find_target(target))[-1].arena_bytes
        for options in (PlanOptions(), PlanOptions(ram=least), PlanOptions(threads=2)):
            plan = build_plan(graph, find_target(target), options)
            seen |= {
                (instance.parameters["band"] is not None, bool(instance.parameters["aliased"]))
                for instance in plan.instances
                if instance.kernel == KERNEL.name
            }
            assert mismatches(graph, target, options) == 0, (seed, options)
    assert {(False, True), (False, False), (True, False)} <= seen


def test_code_does_not_grow_with_channels_that_stand_apart() -> None:
    channels, target = 70, find_target("x86-64-v4-vnni")
    op = DepthwiseConv2d(pad=(1, 1, 1, 1), scale=0.125)
    x = TensorType("i8", (1, 5, 5, channels), Quantisation(0.125))
    w = TensorType("i8", (channels, 3, 3, 1), Quantisation(0.125))
    apart = layout_of(channels, np.random.default_rng(1).permutation(channels))
    layer = Layer(op, {"x": x, "w": w}, op.result_type([x, w]), frozenset("w"))
    for layouts, places in (({}, 0), ({"x": apart}, channels)):
        found = KERNEL.parameters(replace(layer, layouts=layouts), target)
        vectors, table = found["vectors"], found["places"]
        assert isinstance(vectors, list)
        assert isinstance(table, list)
        assert (len(vectors) <= 3, len(table)) == (True, places)


def test_certificates_are_checked_when_constants_are_packed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A search that finds another m than it should is found out."""
    graph = chain(3)
    plan = build_plan(graph, find_target("x86-64-v3"))
    counted = requantised(plan, pack_weights(plan, graph))
    assert counted
    assert {each.channels for each in counted} == {24}
    assert sum(each.affine + each.signed for each in counted) > 24
    assert requantised_lines(counted)[0].startswith("codes: ")

    def wrong(scaling: Scaling, sums: Sums, codes: Codes) -> FloatForm:
        found = find_affine(scaling, sums, codes)
        return replace(found, m=found.m * np.float32(1.01))

    monkeypatch.setattr("netgen.kernels.i8.requantisation.find_affine", wrong)
    with pytest.raises(PlanError, match="certificate of a channel is wrong"):
        pack_weights(plan, graph)
