"""Codes beside floats in one network: plans, both interpreters, and C give the same codes.

The network has every way in which values of other element sizes meet: views of codes (concat,
slices, reshape), copies (padding, steps over pixels, transposes), rings of rows, and codes of all
types in one arena.
"""

from __future__ import annotations

import numpy as np
import pytest

import netgen
import netgen.ops as dsl
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array
from netgen.kernels.targets import find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import DEFAULT, PlanOptions
from netgen.plan.execute.interpreter import execute
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json

HEIGHT, WIDTH, CHANNELS = 12, 9, 5


@network
def codes_and_floats() -> tuple[Tensor, ...]:
    x = image(HEIGHT, WIDTH, CHANNELS)
    signed = dsl.quantize(dsl.relu6(x), 0.03125, -100)
    framed = dsl.pad(signed, (2, 1, 1, 2))
    few = dsl.spatial_slice(framed, start=(1, 0), stride=2)
    both = dsl.concat(dsl.channel_slice(few, 3, 2), few, dsl.channel_pad(few, 0, 2))
    wide = dsl.quantize(dsl.dequantize(both), 0.001, 0, "i16")
    narrow = dsl.quantize(dsl.dequantize(wide), 0.0123456, 77, "u8")
    turned = dsl.transpose(narrow, (0, 3, 1, 2))
    return dsl.dequantize(dsl.flatten(turned)), narrow, dsl.relu(dsl.dequantize(framed))


@pytest.fixture(scope="module")
def graph() -> Graph:
    return netgen.load(codes_and_floats)


@pytest.fixture(scope="module")
def photo() -> Array:
    draw = np.random.default_rng(7)
    x = draw.normal(0.0, 4.0, (1, HEIGHT, WIDTH, CHANNELS)).astype(np.float32)
    x[0, 0, 0] = [np.nan, np.inf, -np.inf, 0.015625, 3e38]
    return x


@pytest.fixture(scope="module")
def expected(graph: Graph, photo: Array) -> dict[str, Array]:
    with np.errstate(invalid="ignore"):
        found = interpret(graph, {"image": photo})
    return {name: graph[name].type.element.store(array) for name, array in found.items()}


PLANS = {
    "whole": DEFAULT,
    "rows": PlanOptions(input="rows"),
    "arena": PlanOptions(input="arena"),
    "threads": PlanOptions(threads=2),
    "copies": PlanOptions(copies=True),
    "regions": PlanOptions(ram=(1024, 8192)),
    "small": PlanOptions(ram=1600),
}


@pytest.mark.parametrize("options", PLANS.values(), ids=PLANS)
def test_the_plan_interpreter_gives_the_codes_of_the_graph(
    graph: Graph, photo: Array, expected: dict[str, Array], options: PlanOptions
) -> None:
    fused = run_pipeline(graph)
    plan = build_plan(fused, find_target("generic"), options)
    check_plan(plan)
    assert plan_from_json(plan_to_json(plan)) == plan
    if options == PLANS["small"]:
        rings = [buffer for buffer in plan.buffers.values() if buffer.element_bytes < 4]
        assert any(buffer.rows < HEIGHT for buffer in rings)
        assert any(segment.last > segment.first for segment in plan.segments)
    with np.errstate(invalid="ignore"):
        found = execute(plan, fused, {"image": photo})
    compared = [name for name in found if name in expected]
    assert {"quantize", "pad", "concat", "quantize_2", "quantize_3"} <= {*compared}
    for name in compared:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
        assert found[name].dtype == expected[name].dtype


@pytest.mark.parametrize(
    ("name", "target"),
    [*((name, "generic") for name in PLANS), ("whole", "native"), ("rows", "native")],
)
def test_the_c_gives_the_codes_of_the_graph(
    graph: Graph, photo: Array, expected: dict[str, Array], name: str, target: str
) -> None:
    model = netgen.compile(graph, target=target, **PLANS[name].keywords())
    assert [port.dtype for port in model.outputs] == ["float32", "uint8", "float32"]
    assert model.outputs[1].scale == float(np.float32(0.0123456))
    assert model.outputs[1].zero_point == 77
    if name == "rows":
        stream = model.stream()
        stream.push(photo[0, :5])
        stream.push(photo[0, 5:])
        found = stream.finish()
    else:
        found = model(photo[0])
    for array, value in zip(found, graph.outputs, strict=True):
        np.testing.assert_array_equal(array, expected[value][0])
