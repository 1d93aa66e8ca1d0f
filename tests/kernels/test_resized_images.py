"""Windows, moves and resizes in plans and in C: whole, in bands, rings, views, pushed, divided."""

from __future__ import annotations

from pathlib import Path

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
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import DEFAULT, Image, PlanOptions
from netgen.plan.execute.interpreter import execute
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json
from netgen.plan.pareto import pareto
from netgen.runtime.compare import relative_error, seeded_inputs
from netgen.runtime.cpu import native_target
from netgen.runtime.model import CompiledModel
from tests.cases import heavy
from tests.emission.programs import SANITIZERS, WARNINGS, emission
from tests.plan.segments.cuts import random_plan
from tests.tools import run_tool

GENERIC = find_target("generic")


def resized(x: Tensor) -> Tensor:
    """Every operator, with channels dealt and cut between them, so that they stand in runs."""
    x = dsl.channel_shuffle(dsl.concat(x, dsl.pad(x, 0)), 4)
    x = dsl.max_pool2d(dsl.channel_slice(x, 1, 21), 3, stride=(2, 1), pad=1)
    x = dsl.pad(x, (2, 1, 0, 3), -7.0)
    x = dsl.avg_pool2d(x, (2, 3), stride=(1, 2), pad=(0, 1, 1, 1), count_include_pad=False)
    x = dsl.channel_shuffle(dsl.concat(x, dsl.channel_slice(x, 2, 11)), 8)
    x = dsl.resize_bilinear(x, (17, 5))
    x = dsl.mirror_pad(dsl.mirror_pad(x, (3, 2, 0, 1)), (0, 2, 2, 1), "symmetric")
    x = dsl.resize_nearest(dsl.channel_slice(x, 0, 27), (26, 10), "half_pixel")
    x = dsl.space_to_depth(dsl.channel_shuffle(x, 3), 2)
    x = dsl.depth_to_space(dsl.channel_shuffle(x, 4), 3)
    return dsl.resize_nearest(dsl.channel_shuffle(x, 2), (78, 15))


def pyramid(x: Tensor) -> Tensor:
    """Reductions and enlargements that meet again, in all coordinates."""
    small = dsl.resize_bilinear(x, (5, 4), "asymmetric")
    large = dsl.resize_bilinear(small, (12, 9), "align_corners")
    most = dsl.resize_nearest(dsl.max_pool2d(x, 3, stride=3), (12, 9), "align_corners")
    joined = dsl.channel_shuffle(dsl.concat(large, most, x), 3)
    return dsl.resize_bilinear(dsl.channel_slice(joined, 3, 20), (24, 18))


@network
def floats() -> Tensor:
    """Floats, with a transposed convolution, which makes two rows of each."""
    x = dsl.transpose_conv2d(
        image(6, 9, 12), 12, (3, 4), stride=(2, 1), pad=(1, 2), output_pad=(1, 1)
    )
    x = dsl.channel_shuffle(dsl.relu(resized(x)), 2)
    return dsl.transpose_conv2d(x, 7, (2, 5), stride=(3, 2), pad="same", bias=False)


@network
def float_pyramid() -> Tensor:
    return pyramid(image(12, 9, 12))


@network
def signed() -> Tensor:
    """Codes of int8."""
    return dsl.dequantize(resized(dsl.quantize(image(12, 9, 12), 0.03, -5)))


@network
def unsigned() -> Tensor:
    """Codes of uint8."""
    return dsl.dequantize(resized(dsl.quantize(image(12, 9, 12), 0.03, 100, "u8")))


@network
def signed_pyramid() -> Tensor:
    return dsl.dequantize(pyramid(dsl.quantize(image(12, 9, 12), 0.03, -5)))


@network
def unsigned_pyramid() -> Tensor:
    return dsl.dequantize(pyramid(dsl.quantize(image(12, 9, 12), 0.03, 7, "u8")))


NETWORKS = {
    each.name: each
    for each in (floats, float_pyramid, signed, signed_pyramid, unsigned, unsigned_pyramid)
}
# Each target and each kind of numbers once.
SOME_PAIRS = (("generic", "signed"), ("native", "floats"))
SOME = [name if name in ("floats", "signed") else heavy(name) for name in NETWORKS]


def graph_of(name: str) -> Graph:
    return run_pipeline(netgen.load(NETWORKS[name]))


def check_values(graph: Graph, found: Array, expected: Array, name: str) -> None:
    """Codes are the same; floats are near, as their references are in float64."""
    codes = "signed" in graph.name
    if codes:
        np.testing.assert_array_equal(found, expected, err_msg=name)
    else:
        assert relative_error(found, expected) <= 2e-6, name


@pytest.mark.parametrize("name", SOME)
def test_plans_give_the_values_of_the_graph(name: str) -> None:
    """Any cut does, with bands of any height."""
    graph = graph_of(name)
    inputs = seeded_inputs(graph)
    found, draw, banded = interpret(graph, inputs), np.random.default_rng(6), 0
    expected = {each: graph[each].type.element.store(array) for each, array in found.items()}
    for number in range(9):
        place: Image = ("caller", "arena", "rows")[number % 3]
        plan = random_plan(graph, GENERIC, place, draw, high=number % 2 == 0)
        if plan is None:
            continue
        check_plan(plan)
        assert plan_from_json(plan_to_json(plan)) == plan
        for value, array in execute(plan, graph, inputs).items():
            check_values(graph, array, expected[value], value)
        banded += len(plan.segments) < len(plan.steps)
    assert banded > 3


def ran(model: CompiledModel, inputs: dict[str, Array], place: Image) -> Array:
    """The result; rows are pushed in two lots."""
    (photo,) = inputs.values()
    if place == "rows":
        stream = model.stream()
        stream.push(photo[0, :5])
        stream.push(photo[0, 5:])
        return np.asarray(stream.finish())
    return np.asarray(model(photo[0]))


def options_of(way: str, graph: Graph, target: Target) -> PlanOptions:
    """The plan without options, in threads, or in the smallest arena."""
    if way == "threads":
        return PlanOptions(threads=3)
    place: Image = "rows" if way == "rows" else "caller"
    least = pareto(graph, target, place)[-1].arena_bytes
    return DEFAULT if way == "whole" else PlanOptions(ram=least, input=place)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (place, name) if (place, name) in SOME_PAIRS else heavy(place, name)
        for place in ("generic", "native")
        for name in NETWORKS
    ],
)
def test_the_c_gives_the_values_of_the_graph(target: str, name: str) -> None:
    """All plans have the same bits."""
    graph, processor = graph_of(name), GENERIC if target == "generic" else native_target()
    inputs, found = seeded_inputs(graph), []
    for way in ("whole", "small", "rows", "threads"):
        options = options_of(way, graph, processor)
        model = netgen.compile(graph, target=processor.name, **options.keywords())
        found.append(ran(model, inputs, options.input))
    (output,) = graph.outputs
    check_values(graph, found[0], interpret(graph, inputs)[output][0].astype(np.float32), output)
    for array in found[1:]:
        np.testing.assert_array_equal(array, found[0])


@pytest.mark.parametrize("compiler", ["gcc", heavy("clang"), heavy("arm-none-eabi-gcc")])
@pytest.mark.parametrize("name", SOME)
def test_the_c_has_no_warnings(compiler: str, name: str, tmp_path: Path) -> None:
    graph = graph_of(name)
    for way in ("whole", "small"):
        for source in emission(graph, "generic", memory=options_of(way, graph, GENERIC)).write(
            tmp_path
        ):
            command = [compiler, "-std=c99", "-O2", *WARNINGS, "-c", source, "-o", "object.o"]
            run_tool(command, tmp_path)


@pytest.mark.parametrize("name", SOME)
def test_programs_on_exact_buffers(name: str, tmp_path: Path) -> None:
    """The arena is poisoned before each run."""
    graph = graph_of(name)
    for way in ("whole", "small"):
        emitted = emission(graph, "generic", memory=options_of(way, graph, GENERIC))
        inputs = seeded_inputs(graph)
        program = emitted.build(tmp_path, ["gcc", "-std=c99", "-O0", *SANITIZERS])
        expected = interpret(graph, inputs)
        for value, array in emitted.run(program, inputs).items():
            check_values(graph, array, expected[value].astype(np.float32), value)
