from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from netgen.errors import GraphError, PlanError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import TensorType
from netgen.ir.text import parse_graph
from netgen.kernels.f32.depthwise_conv2d import DepthwiseConv2dF32
from netgen.kernels.layer import Layer
from netgen.kernels.pixel_order import PIXEL_BY_PIXEL, PixelOrder
from netgen.kernels.targets import TARGETS, Target, find_target
from netgen.ops.add import Add
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.check.hazards import band_fault
from netgen.plan.data.execution_order import Band
from netgen.plan.data.plan import Plan
from netgen.plan.execute.interpreter import execute
from netgen.weights.seeded import seeded_weights
from tests.cases import examples
from tests.plan.check.spoiled import repacked
from tests.plan.small_graphs import images

GENERIC = find_target("generic")


def depthwise_layer(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: tuple[int, int, int, int],
    channels: int = 3,
) -> Layer:
    op = DepthwiseConv2d(stride, pad)
    x = TensorType("f32", (1, *size, channels))
    w = TensorType("f32", (channels, *kernel, 1))
    return Layer(op, {"x": x, "w": w}, op.infer([x, w]))


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    size = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    kernel = draw(st.sampled_from([(1, 1), (3, 3), (5, 5), (3, 5)]))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    pad = draw(st.tuples(*[st.integers(0, 3)] * 4))
    try:
        return depthwise_layer(size, kernel, stride, pad)
    except GraphError:
        assume(False)
        raise


def pixels_read(layer: Layer, i: int, j: int) -> list[int]:
    """The input pixels of an output."""
    assert isinstance(layer.op, DepthwiseConv2d)
    _, height, width, _ = layer.operands["x"].shape
    _, rows, columns, _ = layer.operands["w"].shape
    (u, v), (top, _, left, _) = layer.op.stride, layer.op.pad
    taps = [(i * u - top + r, j * v - left + s) for r in range(rows) for s in range(columns)]
    return [h * width + k for h, k in taps if 0 <= h < height and 0 <= k < width]


def survives(
    layer: Layer,
    distance: int,
    order: str = "pixel",
    rows: range | None = None,
    at_once: PixelOrder = PIXEL_BY_PIXEL,
) -> bool:
    """Run a layer, or some rows of it, on memory that holds names instead of numbers.

    distance: in elements. order: `pixel` computes all channels of a pixel at once, `up` and `down`
    one channel after the other along the rows that are computed at once.
    """
    channels, (_, height, columns, _) = layer.operands["x"].shape[3], layer.result.shape
    memory: dict[int, tuple[str, int]] = {a: ("x", a) for a in range(layer.operands["x"].elements)}
    everything = list(range(channels))
    groups = [everything] if order == "pixel" else [[c] for c in everything]
    if order == "down":
        groups.reverse()
    todo = rows or range(height)
    for first in range(todo.start, todo.stop, at_once.rows):
        tile = range(first, min(first + at_once.rows, todo.stop))
        for group in groups:
            waiting: list[int] = []
            for j in range(columns):
                read = [
                    p * channels + c for i in tile for p in pixels_read(layer, i, j) for c in group
                ]
                if any(memory[a] != ("x", a) for a in read):
                    return False
                for i in tile:
                    outputs = [(i * columns + j) * channels + c for c in group]
                    if i > first and j < at_once.late:
                        waiting += outputs
                    else:
                        memory |= {out - distance: ("y", out) for out in outputs}
            memory |= {out - distance: ("y", out) for out in waiting}
    return True


def fault(
    layer: Layer, distance: int, rows: range | None = None, at_once: PixelOrder = PIXEL_BY_PIXEL
) -> str | None:
    """The fault that the checker finds in a result `distance` elements before its operand."""
    band = Band(0, rows.start, rows.stop) if rows else Band(0, 0, layer.result.shape[1])
    reach = layer.op.row_reach("x", layer.operands, layer.result)
    assert reach is not None
    height = layer.operands["x"].shape[1]
    begin, end = reach.begin(band.first, height), reach.end(band.end, height)
    # The memory begins well before both.
    read = element_numbers(layer.operands["x"])[begin:end] + 1000
    written = element_numbers(layer.result)[band.first : band.end] + 1000 - distance
    return band_fault(layer.op, "x", layer.operands, read, written, band, at_once)


def element_numbers(kind: TensorType) -> np.ndarray:
    """Places of an image's elements, its first one at 0."""
    return np.arange(kind.elements).reshape(kind.shape[1:])


@given(layers())
@examples(200)
def test_distance_is_safe_and_the_checker_agrees_with_brute_force(layer: Layer) -> None:
    channels = layer.result.shape[3]
    distance = DepthwiseConv2dF32().overlap(layer)["x"] // 4
    assert distance % channels == 0
    assert survives(layer, distance)
    for pixels in range(distance // channels + 2):
        assert (fault(layer, pixels * channels) is None) == survives(layer, pixels * channels)


@given(layers(), st.integers(0, 40))
@examples(150)
def test_distances_of_parts_of_a_pixel_are_judged_for_every_order_of_channels(
    layer: Layer, distance: int
) -> None:
    if fault(layer, distance) is None:
        assert all(survives(layer, distance, order) for order in ("pixel", "up", "down"))


@pytest.mark.parametrize(
    ("size", "stride", "pad", "pixels"),
    [
        ((7, 7), (1, 1), (1, 1, 1, 1), 8),  # a row and a pixel
        ((14, 14), (2, 2), (1, 1, 1, 1), 0),
        ((14, 14), (2, 2), (0, 1, 0, 1), 0),
        ((7, 7), (1, 1), (0, 0, 0, 0), 0),
    ],
)
def test_distances_of_the_networks_are_minimal(
    size: tuple[int, int], stride: tuple[int, int], pad: tuple[int, int, int, int], pixels: int
) -> None:
    layer = depthwise_layer(size, (3, 3), stride, pad)
    assert DepthwiseConv2dF32().overlap(layer) == {"x": 4 * 3 * pixels}
    assert pixels == 0 or not survives(layer, 3 * (pixels - 1))


def in_place_graph(layer: Layer) -> Graph:
    """The layer between two convolutions, so that its operand and output stand in the arena."""
    x, w, y = (str(t) for t in (*layer.operands.values(), layer.result))
    c = layer.result.shape[3]
    assert isinstance(layer.op, DepthwiseConv2d)
    pad, stride = (",".join(map(str, t)) for t in (layer.op.pad, layer.op.stride))
    graph, _ = parse_graph(f"""netgen 1
    graph g {{
      %image : {x} = input
      %p : f32[{c},1,1,{c}] = const {{data=@p}}
      %w : {w} = const {{data=@w}}
      %a : {x} = conv2d(%image, %p)
      %d : {y} = depthwise_conv2d(%a, %w) {{stride=({stride}), pad=({pad})}}
      %y : {y} = conv2d(%d, %p)
      return %y
    }}""")
    return graph.with_constants(seeded_weights(graph))


def nearer(plan: Plan, by: int) -> Plan:
    """The only overlap of a plan made smaller, and all else made to fit."""
    (overlap,) = plan.overlaps
    distance = overlap.distance - by
    operand = replace(plan.buffer_of(overlap.operand), offset=distance)
    output = replace(plan.buffer_of(overlap.result), offset=0)
    buffers = {**plan.buffers, operand.name: operand, output.name: output}
    return repacked(replace(plan, buffers=buffers, overlaps=(replace(overlap, distance=distance),)))


@given(layers())
@example(depthwise_layer((5, 5), (3, 3), (1, 1), (1, 1, 1, 1)))
@example(depthwise_layer((6, 4), (5, 5), (1, 1), (2, 2, 2, 2)))
@examples(100)
def test_one_pixel_less_is_caught(layer: Layer) -> None:
    graph = in_place_graph(layer)
    plan = build_plan(graph, GENERIC)
    check_plan(plan)
    pixel = layer.result.shape[3]
    assume(plan.overlaps and plan.overlaps[0].distance > 0)
    assume(not survives(layer, plan.overlaps[0].distance // 4 - pixel))
    broken = nearer(plan, 4 * pixel)
    with pytest.raises(PlanError, match="destroys its operand x: output pixel"):
        check_plan(broken)
    inputs = images(graph)
    found, expected = execute(broken, graph, inputs)["y"], interpret(graph, inputs)["y"]
    assert np.abs(found - expected).max() > 1e-4 * np.abs(expected).max()


def test_moving_nearer_is_all_that_is_wrong_with_it() -> None:
    graph = in_place_graph(depthwise_layer((5, 5), (3, 3), (1, 1), (1, 1, 1, 1)))
    plan = build_plan(graph, GENERIC)
    check_plan(nearer(plan, 0))
    check_plan(nearer(plan, -12))


def test_parts_of_a_pixel_shift_channels_over_each_other() -> None:
    # Far enough for a kernel that computes all channels of a pixel at once, but not along rows.
    layer = depthwise_layer((9, 9), (3, 3), (1, 1), (1, 1, 1, 1), 12)
    graph = in_place_graph(layer)
    plan = nearer(build_plan(graph, GENERIC), -16)
    assert survives(layer, plan.overlaps[0].distance // 4)
    assert not survives(layer, plan.overlaps[0].distance // 4, "up")
    with pytest.raises(PlanError, match="destroys its operand x"):
        check_plan(plan)
    inputs = images(graph)
    found, expected = execute(plan, graph, inputs)["y"], interpret(graph, inputs)["y"]
    assert np.abs(found - expected).max() > 0.1


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize("channels", [8, 12, 20, 24])
def test_alignment_keeps_distances_safe(channels: int, target: Target) -> None:
    # Pixels that are no multiple of the alignment: a distance rounded up to it would shift channels
    # over each other, and kernels compute a row channel by channel.
    layer = depthwise_layer((9, 9), (3, 3), (1, 1), (1, 1, 1, 1), channels)
    graph = in_place_graph(layer)
    plan = build_plan(graph, target)
    check_plan(plan)
    inputs = images(graph)
    found, expected = execute(plan, graph, inputs)["y"], interpret(graph, inputs)["y"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@given(layers(), st.data())
@examples(150)
def test_bands_are_judged_by_what_they_still_read(layer: Layer, data: st.DataObject) -> None:
    rows, channels = layer.result.shape[1], layer.result.shape[3]
    first = data.draw(st.integers(0, rows - 1))
    band = range(first, data.draw(st.integers(first + 1, rows)))
    pixels = data.draw(st.integers(-6, layer.operands["x"].elements // channels))
    found = fault(layer, pixels * channels, band)
    assert (found is None) == survives(layer, pixels * channels, "pixel", band)


def test_what_has_no_order_may_not_overwrite() -> None:
    x = TensorType("f32", (1, 2, 2, 4))
    at, whole = element_numbers(x), Band(0, 0, 2)
    types = {"x": x, "w": TensorType("f32", (4, 1, 1, 4)), "residual": x}
    fault = band_fault(Conv2d(), "x", types, at, at, whole)
    assert fault == "conv2d gives no order in which it could overwrite x"
    assert band_fault(Conv2d(), "residual", types, at, at, whole) is None
    assert band_fault(Conv2d(), "x", types, at, at + x.elements, whole) is None
    both = {"a": x, "b": x}
    assert band_fault(Add(), "b", both, at, at, whole) is None
    for written in (at + 1, at[::-1], at[:, :, ::-1], at[:, :1]):
        assert "stand exactly where" in str(band_fault(Add(), "b", both, at, written, whole))


def test_a_multiplier_may_not_overwrite() -> None:
    op = DepthwiseConv2d()
    types = {"x": TensorType("f32", (1, 2, 2, 1)), "w": TensorType("f32", (2, 1, 1, 1))}
    result = op.infer(list(types.values()))
    read, written = element_numbers(types["x"]), element_numbers(result)
    assert "multiplier" in str(band_fault(op, "x", types, read, written, Band(0, 0, 2)))


def test_channels_in_another_order_lie_over_each_other() -> None:
    layer = depthwise_layer((4, 4), (1, 1), (1, 1), (0, 0, 0, 0))
    read, band = element_numbers(layer.operands["x"]), Band(0, 0, 4)
    assert band_fault(layer.op, "x", layer.operands, read, read, band) is None
    turned = read[:, :, [1, 2, 0]]
    message = "output pixel 0 overwrites what output pixel 0 still reads"
    assert band_fault(layer.op, "x", layer.operands, read, turned, band) == message
