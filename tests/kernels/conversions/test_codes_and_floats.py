"""Codes beside floats in one network: plans, both interpreters, and C give the same codes.

The network has every way in which values of other element sizes meet: views of codes (concat,
slices, reshape), copies (padding, steps over pixels, transposes), rings of rows, and codes of all
types in one arena.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import netgen
import netgen.ops as dsl
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.errors import PlanError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array
from netgen.kernels.targets import find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import DEFAULT, Image, PlanOptions
from netgen.plan.data.plan import Overlap, Plan
from netgen.plan.execute.interpreter import execute
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json
from netgen.plan.pareto import pareto
from tests.plan.check.spoiled import repacked

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


@network
def rows_of_codes() -> Tensor:
    """Operators that read other rows than they write, between codes of one byte and of two."""
    q = dsl.quantize(image(16, 9, 4), 0.25, 3)
    b = dsl.spatial_slice(dsl.pad(q, (1, 2, 1, 1)), start=(1, 0))
    c = dsl.pad(dsl.concat(b, b), (1, 0, 0, 0))
    d = dsl.spatial_slice(c, start=(0, 1), stride=(2, 1))
    wide = dsl.quantize(dsl.dequantize(d), 0.125, 0, "i16")
    e = dsl.spatial_slice(dsl.pad(wide, 1), stride=(1, 2))
    return dsl.dequantize(dsl.transpose(e, (0, 3, 1, 2)))


@pytest.fixture(scope="module")
def rows_graph() -> Graph:
    return run_pipeline(netgen.load(rows_of_codes))


def ringed(plan: Plan) -> set[str]:
    """Values of codes that have more rows than their buffer holds at a time."""
    held = {name: plan.buffer_of(name) for name in plan.values}
    return {
        value.name
        for value in plan.values.values()
        if value.type.element.bytes < 4 and value.rows > held[value.name].rows
    }


@pytest.mark.parametrize("place", ["caller", "arena", "rows"])
def test_rings_and_overlaps_of_codes(rows_graph: Graph, place: Image) -> None:
    draw = np.random.default_rng(11)
    x = draw.normal(0.0, 9.0, rows_graph.inputs[0].type.shape).astype(np.float32)
    x[0, 1] = 0.125 * np.arange(-18, 18).reshape(9, 4)  # half of them are ties
    expected = interpret(rows_graph, {"image": x})
    rings: set[str] = set()
    overlaps: set[tuple[int, int]] = set()
    for point in pareto(rows_graph, find_target("generic"), place):
        options = PlanOptions(ram=point.arena_bytes, input=place)
        plan = build_plan(rows_graph, find_target("generic"), options)
        check_plan(plan)
        found = execute(plan, rows_graph, {"image": x})
        for name, array in found.items():
            np.testing.assert_array_equal(array, expected[name], err_msg=name)
        rings |= ringed(plan)
        overlaps |= {
            (plan.buffer_of(o.operand).element_bytes, plan.buffer_of(o.result).element_bytes)
            for o in plan.overlaps
        }
    assert {"pad", "concat", "pad_2", "quantize_2", "pad_3"} & rings == {
        "concat", "pad_2", "quantize_2", "pad_3"
    }  # fmt: skip
    assert {(1, 1), (2, 2)} <= overlaps
    assert ((4, 1) in overlaps) == (place == "arena")
    model = netgen.compile(rows_graph, target="generic", ram=point.arena_bytes, input=place)
    if place == "rows":
        stream = model.stream()
        for row in x[0]:
            stream.push(row)
        result = stream.finish()
    else:
        result = model(x[0])
    np.testing.assert_array_equal(result, expected[rows_graph.outputs[0]][0])


@network
def one_conversion() -> Tensor:
    return dsl.dequantize(dsl.quantize(image(4, 3, 4), 0.25))


def test_elements_of_other_sizes_stand_apart_within_a_step() -> None:
    """Bytes of a row's first codes would be those of floats that the same row still reads."""
    graph = run_pipeline(netgen.load(one_conversion))
    plan = build_plan(graph, find_target("generic"), PlanOptions(input="arena"))
    assert plan.overlaps == ()
    check_plan(plan)
    buffers = {**plan.buffers}
    buffers["quantize"] = replace(buffers["quantize"], offset=buffers["image"].offset)
    overlap = Overlap(0, "image", "quantize", 0)
    with pytest.raises(PlanError, match="elements of another size must stand apart"):
        check_plan(repacked(replace(plan, overlaps=(overlap,), buffers=buffers)))
