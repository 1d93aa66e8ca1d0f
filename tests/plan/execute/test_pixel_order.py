"""Rows in pairs over what they read: which outputs wait, and who notices if they do not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from netgen.errors import PlanError
from netgen.ir.interpret import interpret
from netgen.kernels.f32.depthwise_conv2d import DepthwiseConv2dF32
from netgen.kernels.layer import Layer
from netgen.kernels.pixel_order import PixelOrder
from netgen.kernels.row_pairs import late_columns
from netgen.kernels.targets import TARGETS, Target, find_target
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.pixel_order import pixel_order
from netgen.plan.execute.interpreter import execute
from tests.cases import examples
from tests.plan.arena.test_overlap_distance import (
    depthwise_layer,
    fault,
    in_place_graph,
    layers,
    survives,
)
from tests.plan.small_graphs import images


@given(layers(), st.data())
@examples(200)
def test_pairs_are_judged_by_their_own_order(layer: Layer, data: st.DataObject) -> None:
    channels = layer.result.shape[3]
    pixels = data.draw(st.integers(-2, layer.operands["x"].elements // channels))
    at_once = PixelOrder(2, data.draw(st.integers(0, 3)))
    found = fault(layer, pixels * channels, None, at_once)
    assert (found is None) == survives(layer, pixels * channels, "pixel", None, at_once)
    if found is None:
        assert all(survives(layer, pixels * channels, o, None, at_once) for o in ("up", "down"))


def aligned_distances(layer: Layer, target: Target) -> range:
    """Distances from the kernel's to an aligned one, in elements, by whole pixels."""
    channels = layer.result.shape[3]
    least, whole = (
        DepthwiseConv2dF32().overlap(layer)["x"],
        math.lcm(target.alignment, 4 * channels),
    )
    return range(least // 4, -(-least // whole) * whole // 4 + 1, channels)


@given(layers(), st.sampled_from(TARGETS))
@examples(200)
def test_enough_columns_are_late(layer: Layer, target: Target) -> None:
    assert isinstance(layer.op, DepthwiseConv2d)
    late = late_columns(layer, layer.op.window(layer.operands["w"].shape), target)
    assume(late is not None)
    at_once = PixelOrder(2, late or 0)
    for distance in aligned_distances(layer, target):
        assert survives(layer, distance, "pixel", None, at_once)


@pytest.mark.parametrize(
    ("size", "kernel", "channels", "late"),
    [
        ((6, 7), (3, 3), 16, 1),  # a row and a pixel
        ((9, 9), (3, 3), 12, 3),  # at 12 pixels, as alignment has it
        ((7, 9), (5, 5), 16, 2),
    ],
)
def test_no_more_columns_are_late_than_need_be(
    size: tuple[int, int], kernel: tuple[int, int], channels: int, late: int
) -> None:
    layer = depthwise_layer(size, kernel, (1, 1), (kernel[0] // 2,) * 4, channels)
    assert isinstance(layer.op, DepthwiseConv2d)
    target = find_target("x86-64-v4")
    assert late_columns(layer, layer.op.window(layer.operands["w"].shape), target) == late
    fewer = PixelOrder(2, late - 1)
    assert not survives(layer, aligned_distances(layer, target)[-1], "pixel", None, fewer)


def test_the_interpreter_computes_pairs_as_the_kernel_does() -> None:
    target = find_target("x86-64-v4")
    graph = in_place_graph(depthwise_layer((7, 9), (3, 3), (1, 1), (1, 1, 1, 1), 12))
    plan = build_plan(graph, target)
    check_plan(plan)
    step = next(step for step in plan.steps if isinstance(step.op, DepthwiseConv2d))
    assert pixel_order(plan, step) == PixelOrder(2, 3)
    inputs = images(graph)
    expected = interpret(graph, inputs)["y"]
    np.testing.assert_allclose(execute(plan, graph, inputs)["y"], expected, atol=1e-5)
    # With one column fewer the end of a row is overwritten before it is read.
    instances = [*plan.instances]
    parameters = {**instances[step.instance].parameters, "late": 2}
    instances[step.instance] = replace(instances[step.instance], parameters=parameters)
    broken = replace(plan, instances=tuple(instances))
    with pytest.raises(
        PlanError, match="destroys its operand x: output pixel 29 overwrites what output pixel 26"
    ):
        check_plan(broken)
    assert np.abs(execute(broken, graph, inputs)["y"] - expected).max() > 1e-2
