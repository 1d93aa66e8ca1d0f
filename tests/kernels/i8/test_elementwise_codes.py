"""Elementwise operators of codes in plans and in C: whole, in bands, of any layout, divided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netgen
import netgen.ops as dsl
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array
from netgen.kernels.targets import Target, find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import DEFAULT, Image, PlanOptions
from netgen.plan.execute.interpreter import execute
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json
from netgen.plan.pareto import pareto
from netgen.runtime.cpu import native_target
from tests.cases import heavy
from tests.emission.programs import SANITIZERS, WARNINGS, emission
from tests.kernels.i8.elementwise import ALL, Case, Draw, between_floats, graph_of, inputs_of
from tests.plan.segments.cuts import random_plan
from tests.tools import AARCH64_GCC, run_tool

GENERIC = find_target("generic")


def some(seed: int, count: int) -> list[Case]:
    draw = Draw(seed)
    return [case for name in ALL for case in draw.cases(name, count)]


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("generic", {}),
        ("native", {}),
        heavy("x86-64-v3", {"small": True}),
        heavy("generic", {"threads": 3}),
    ],
    ids=str,
)
@pytest.mark.parametrize("count", [2, heavy(8)])
def test_code_for_code_as_the_operators(target: str, options: dict[str, Any], count: int) -> None:
    cases = some(8, count)
    model = netgen.compile(graph_of(cases), target=target, **options)
    found = model(*(codes[0] for codes in inputs_of(cases).values()))
    for array, case in zip(found, cases, strict=True):
        wanted = case.reference()
        np.testing.assert_array_equal(array.ravel(), wanted.ravel(), err_msg=str(case.op))


@network
def rows_of_codes() -> Tensor:
    """Every kind of kernel, of values that are channels of others, or stand in another order."""
    q = dsl.quantize(image(12, 9, 12), 0.03, 100, "u8")
    framed = dsl.pad(dsl.channel_shuffle(dsl.hard_swish(q, 0.025, 20), 4), (2, 1, 1, 2))
    few = dsl.channel_slice(dsl.spatial_slice(framed, start=(1, 0), stride=(1, 2)), 3, 8)
    both = dsl.add(few, dsl.relu(few, 0.02, 3), 0.04, 90)
    gated = dsl.mul(both, dsl.sigmoid(dsl.global_avg_pool(both), 1 / 256), 0.03, 80)
    rest = dsl.sub(dsl.channel_shuffle(gated, 2), dsl.relu6(both), 0.05, 128)
    joined = dsl.channel_shuffle(dsl.concat(rest, dsl.relu6(rest)), 4)
    return dsl.dequantize(dsl.relu_n1_to_1(dsl.quantize(joined, 0.02, -7, "i8"), 0.01, 0))


@network
def spread_and_constant() -> tuple[Tensor, ...]:
    """One number per channel on either side, of channels that are dealt in between others."""
    q = dsl.quantize(image(6, 5, 8), 0.03, -5)
    dealt = dsl.channel_shuffle(dsl.concat(q, dsl.tanh(q, 0.03, -5)), 4)
    part = dsl.channel_slice(dealt, 3, 8)
    means = dsl.global_avg_pool(part, 0.02, 9)
    left, right = dsl.sub(means, part, 0.04, 3), dsl.sub(part, means, 0.04, 3)
    mixed = dsl.channel_shuffle(dsl.concat(left, right), 8)
    return dsl.dequantize(dsl.leaky_relu(mixed, 0.05, 1, alpha=-0.3)), dsl.dequantize(
        dsl.softmax(right)
    )


@pytest.fixture(scope="module")
def graphs() -> dict[str, Graph]:
    made = (rows_of_codes, spread_and_constant)
    return {each.name: run_pipeline(netgen.load(each)) for each in made}


def photos(graph: Graph) -> dict[str, Array]:
    draw = np.random.default_rng(5)
    return {
        node.name: node.type.element.store(draw.normal(0.3, 2.0, node.type.shape))
        for node in graph.inputs
    }


def stored(graph: Graph, inputs: dict[str, Array]) -> dict[str, Array]:
    """All values of the graph's own meaning, as they stand in memory."""
    found = interpret(graph, inputs)
    return {name: graph[name].type.element.store(array) for name, array in found.items()}


@pytest.mark.parametrize("name", ["rows_of_codes", "spread_and_constant"])
@pytest.mark.parametrize("count", [6, heavy(60)])
def test_plans_give_the_codes_of_the_graph(graphs: dict[str, Graph], name: str, count: int) -> None:
    """Any cut does, with bands of any height."""
    graph = graphs[name]
    inputs = photos(graph)
    expected, draw = stored(graph, inputs), np.random.default_rng(6)
    for number in range(count):
        place: Image = ("caller", "arena", "rows")[number % 3]
        plan = random_plan(graph, GENERIC, place, draw, high=number % 2 == 0)
        if plan is None:
            continue
        check_plan(plan)
        assert plan_from_json(plan_to_json(plan)) == plan
        for value, array in execute(plan, graph, inputs).items():
            np.testing.assert_array_equal(array, expected[value], err_msg=value)


@pytest.mark.parametrize("target", [GENERIC, heavy(native_target())], ids=["generic", "native"])
@pytest.mark.parametrize("name", ["rows_of_codes", "spread_and_constant"])
@pytest.mark.parametrize("way", ["whole", "least", heavy("threads")])
def test_the_c_gives_the_codes_of_the_graph(
    graphs: dict[str, Graph], name: str, way: str, target: Target
) -> None:
    graph = graphs[name]
    least = pareto(graph, target)[-1].arena_bytes
    options = {
        "whole": DEFAULT,
        "least": PlanOptions(ram=least),
        "threads": PlanOptions(ram=least, threads=2),
    }[way]
    inputs = photos(graph)
    model = netgen.compile(graph, target=target.name, **options.keywords())
    expected = stored(graph, inputs)
    found = model(*(array[0] for array in inputs.values()))
    for output, array in zip(
        graph.outputs, found if len(graph.outputs) > 1 else [found], strict=True
    ):
        np.testing.assert_array_equal(np.asarray(array).ravel(), expected[output].ravel())


def test_results_take_the_place_of_operands(graphs: dict[str, Graph]) -> None:
    """Sums, products and tables overwrite what they read."""
    plan = build_plan(graphs["rows_of_codes"], GENERIC)
    check_plan(plan)
    kernels = {step.writes: step.kernel for step in plan.steps}
    over = {kernels[overlap.result] for overlap in plan.overlaps}
    assert over >= {"sum_i8", "clamp_i8", "table_i8"}


@pytest.mark.parametrize("compiler", ["gcc", "clang", "arm-none-eabi-gcc"])
def test_the_c_has_no_warnings(compiler: str, graphs: dict[str, Graph], tmp_path: Path) -> None:
    for graph in (graph_of(some(4, 2)), *graphs.values()):
        for source in emission(graph, "generic").write(tmp_path):
            command = [compiler, "-std=c99", "-O2", *WARNINGS, "-c", source, "-o", "object.o"]
            run_tool(command, tmp_path)


@pytest.mark.parametrize(
    "command",
    [
        ("gcc", "-std=c99", "-O0", *SANITIZERS),
        (AARCH64_GCC, "-std=c99", "-O2", "-static"),
    ],
    ids=["sanitizers", "aarch64"],
)
def test_programs_on_exact_buffers(
    command: tuple[str, ...], graphs: dict[str, Graph], tmp_path: Path
) -> None:
    runs = [between_floats(some(5, 3)), *((g, photos(g)) for g in graphs.values())]
    for graph, inputs in runs:
        emitted = emission(graph, "generic")
        found = emitted.run(emitted.build(tmp_path, [*command]), inputs)
        expected = stored(graph, inputs)
        for name, array in found.items():
            np.testing.assert_array_equal(array, expected[name], err_msg=name)
