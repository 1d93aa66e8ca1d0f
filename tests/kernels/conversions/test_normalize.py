"""normalize in plans and in C: whole, in bands, pushed, divided, in layouts; what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.errors import GraphError, PlanError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array, Quantisation, TensorType
from netgen.ir.text import parse_graph
from netgen.kernels.targets import TARGETS, Target, find_target
from netgen.ops.normalize import Normalize
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import DEFAULT, PlanOptions
from netgen.plan.execute.interpreter import execute
from tests.emission.programs import SANITIZERS, emission
from tests.tools import require_processor

FOR_X86 = [target for target in TARGETS if target.name.startswith(("generic", "x86"))]
PLANS = {
    "whole": DEFAULT,
    "rows": PlanOptions(input="rows"),
    "arena": PlanOptions(input="arena"),
    "threads": PlanOptions(threads=3),
    "small": PlanOptions(small=True),
    "bands": PlanOptions(ram=8000),
}


def network(width: int, channels: int, *, pushed: bool = False) -> Graph:
    """An image under a window; unless rows are pushed also with its channels in another order."""
    half = 0 if pushed else channels // 2
    rest = channels - half
    outputs = "" if half == 0 else ", %s"
    slices = (
        ""
        if half == 0
        else f"""
  %a : u8[1,14,{width},{half}] = channel_slice(%x) {{length={half}}}
  %b : u8[1,14,{width},{rest}] = channel_slice(%x) {{first={half}, length={rest}}}
  %c : u8[1,14,{width},{channels}] = concat(%b, %a)
  %n : f32[1,14,{width},{channels}] = normalize(%c, %m, %d)
  %s : f32[1,1,1,{channels}] = global_avg_pool(%n)"""
    )
    text = f"""netgen 1
graph net {{
  %x : u8[1,14,{width},{channels}] = input
  %m : f32[{channels}] = const {{data=@m}}
  %d : f32[{channels}] = const {{data=@d}}
  %w : f32[6,3,3,{channels}] = const {{data=@w}}
  %i : f32[1,14,{width},{channels}] = normalize(%x, %m, %d){slices}
  %v : f32[1,7,{(width + 1) // 2},6] = conv2d(%i, %w) {{stride=2, pad=1}}
  %y : f32[1,1,1,6] = global_avg_pool(%v)
  return %y{outputs}
}}
"""
    draw = np.random.default_rng(channels)
    return parse_graph(text)[0].with_constants(
        {
            "m": draw.uniform(0.01, 0.02, channels).astype(np.float32),
            "d": draw.uniform(-2.0, -1.0, channels).astype(np.float32),
            "w": draw.normal(0.0, 0.2, (6, 3, 3, channels)).astype(np.float32),
        }
    )


def pixels(graph: Graph) -> Array:
    return np.random.default_rng(3).integers(0, 256, graph["x"].type.shape).astype(np.uint8)


def run(graph: Graph, target: str, options: PlanOptions, x: Array) -> list[Array]:
    model = netgen.compile(graph, target=target, **options.keywords())
    if options.input == "rows":
        stream = model.stream()
        stream.push(x[0, :5])
        stream.push(x[0, 5:])
        found = stream.finish()
    else:
        found = model(x[0])
    return [*found] if isinstance(found, tuple) else [found]


@pytest.mark.parametrize("target", FOR_X86, ids=lambda target: target.name)
def test_the_c_gives_the_floats_of_the_graph(target: Target) -> None:
    require_processor(target.name)
    for width, channels in ((16, 3), (13, 1), (20, 4)):
        graph = network(width, channels)
        x = pixels(graph)
        expected = interpret(graph, {"x": x})
        found = run(graph, target.name, DEFAULT, x)
        for array, name in zip(found, graph.outputs, strict=True):
            np.testing.assert_allclose(array.ravel(), expected[name].ravel(), rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", PLANS)
def test_no_plan_changes_a_bit(name: str) -> None:
    graph = network(20, 3, pushed=name == "rows")
    x = pixels(graph)
    whole = run(graph, "generic", DEFAULT, x)
    for array, same in zip(run(graph, "generic", PLANS[name], x), whole, strict=True):
        np.testing.assert_array_equal(array, same)


@pytest.mark.parametrize("name", PLANS)
def test_the_plan_interpreter_gives_the_floats_of_the_graph(name: str) -> None:
    graph = run_pipeline(network(20, 3, pushed=name == "rows"))
    plan = build_plan(graph, find_target("generic"), PLANS[name])
    check_plan(plan)
    inputs = {"x": pixels(graph)}
    expected = interpret(graph, inputs)
    for value, array in execute(plan, graph, inputs).items():
        np.testing.assert_allclose(array, expected[value], rtol=1e-6, atol=1e-6, err_msg=value)


def test_a_program_on_exact_buffers(tmp_path: Path) -> None:
    for width, channels in ((13, 3), (16, 1)):
        graph = network(width, channels)
        inputs, emitted = {"x": pixels(graph)}, emission(graph, "generic")
        expected = interpret(graph, inputs)
        program = emitted.build(tmp_path, ["gcc", "-std=c99", "-O1", *SANITIZERS])
        for name, array in emitted.run(program, inputs).items():
            np.testing.assert_allclose(array, expected[name], rtol=2e-6, atol=2e-6, err_msg=name)


def test_two_orders_of_channels_do_not_share_packed_numbers() -> None:
    plan = build_plan(run_pipeline(network(20, 3)), find_target("generic"))
    places = {step.name: step.weights for step in plan.steps if step.name in {"i", "n"}}
    assert places["i"] != places["n"]
    steps = [replace(s, weights=places["i"]) if s.name == "n" else s for s in plan.steps]
    with pytest.raises(PlanError, match="two steps share the place of their weights"):
        check_plan(replace(plan, steps=tuple(steps)))


def test_rows_of_floats_wait_in_a_ring() -> None:
    graph = run_pipeline(network(20, 3, pushed=True))
    plan = build_plan(graph, find_target("generic"), PlanOptions(ram=3000, accept_gap=True))
    assert plan.buffer_of("i").bytes < graph["i"].type.bytes


@pytest.mark.parametrize(
    ("x", "scale", "message"),
    [
        (TensorType("f32", (1, 4, 4, 2)), (2,), "only pixels are normalised, expected x as u8"),
        (TensorType("u8", (1, 4, 4, 2), Quantisation(0.5)), (2,), "only pixels are normalised"),
        (TensorType("u8", (1, 4, 4, 2)), (3,), r"scale has the wrong shape, expected \[2\]"),
    ],
)
def test_what_is_not_normalised(x: TensorType, scale: tuple[int, ...], message: str) -> None:
    shift = TensorType("f32", (2,))
    with pytest.raises(GraphError, match=message):
        Normalize().result_type([x, TensorType("f32", scale), shift])
    with pytest.raises(GraphError, match=r"scale must be f32"):
        Normalize().result_type([TensorType("u8", (1, 2)), TensorType("u8", (2,)), shift])
