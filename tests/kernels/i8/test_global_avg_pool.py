"""Global averages of codes in plans and in C: whole, in bands, rings, views, pushed, divided."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import netgen
import netgen.ops as dsl
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.ir.graph import Graph, Node
from netgen.ir.interpret import interpret
from netgen.ir.operator import Input
from netgen.ir.tensor_type import Array
from netgen.ir.text import parse_graph
from netgen.kernels.targets import Target, find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import DEFAULT, Image, PlanOptions
from netgen.plan.data.plan import Plan
from netgen.plan.execute.interpreter import execute
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json
from netgen.plan.pareto import pareto
from netgen.plan.show import plan_table
from netgen.runtime.cpu import native_target
from netgen.runtime.model import CompiledModel
from tests.emission.programs import SANITIZERS, WARNINGS, emission
from tests.kernels.i8.means import Mean, drawn, ties
from tests.plan.segments.cuts import random_plan
from tests.tools import AARCH64_GCC, run_tool

GENERIC = find_target("generic")


@network
def mean_of_rows() -> Tensor:
    """Moves and views that split into bands, and the mean of some of the channels."""
    q = dsl.quantize(image(12, 9, 12), 0.03, 100, "u8")
    framed = dsl.pad(dsl.channel_shuffle(q, 4), (2, 1, 1, 2))
    few = dsl.spatial_slice(framed, start=(1, 0), stride=(1, 2))
    return dsl.dequantize(dsl.global_avg_pool(dsl.channel_slice(few, 3, 7), 0.011, 20))


@network
def means_as_views() -> Tensor:
    """Means that stand between the channels of others, of operands that do."""
    q = dsl.quantize(image(6, 5, 8), 0.03, -5)
    r = dsl.channel_shuffle(
        dsl.concat(q, dsl.pad(dsl.spatial_slice(q, start=(1, 1)), (0, 1, 0, 1))), 4
    )
    means = [dsl.global_avg_pool(dsl.channel_slice(r, n, 5), 0.02, 9) for n in (0, 3, 11)]
    return dsl.dequantize(dsl.channel_shuffle(dsl.concat(*means), 3))


@pytest.fixture(scope="module")
def graphs() -> dict[str, Graph]:
    return {each.name: run_pipeline(netgen.load(each)) for each in (mean_of_rows, means_as_views)}


def photos(graph: Graph) -> dict[str, Array]:
    draw = np.random.default_rng(5)
    return {
        node.name: node.type.element.store(draw.normal(0.3, 2.0, node.type.shape))
        if node.type.element.is_float
        else draw.integers(-128, 128, node.type.shape).astype(np.int8)
        for node in graph.inputs
    }


def stored(graph: Graph, inputs: dict[str, Array]) -> dict[str, Array]:
    """All values of the graph's own meaning, as they stand in memory."""
    found = interpret(graph, inputs)
    return {name: graph[name].type.element.store(array) for name, array in found.items()}


def kept(plan: Plan) -> list[str]:
    """The steps whose sums wait in scratch."""
    return [step.name for step in plan.steps if step.scratch is not None]


@pytest.mark.parametrize("name", ["mean_of_rows", "means_as_views"])
def test_plans_give_the_codes_of_the_graph(graphs: dict[str, Graph], name: str) -> None:
    """Any cut does, with bands of any height."""
    graph = graphs[name]
    inputs = photos(graph)
    expected, draw, seen = stored(graph, inputs), np.random.default_rng(6), set()
    for number in range(24):
        place: Image = ("caller", "arena", "rows")[number % 3]
        plan = random_plan(graph, GENERIC, place, draw, high=number % 2 == 0)
        if plan is None:
            continue
        check_plan(plan)
        assert plan_from_json(plan_to_json(plan)) == plan
        for value, array in execute(plan, graph, inputs).items():
            np.testing.assert_array_equal(array, expected[value], err_msg=value)
        for step in kept(plan):
            buffer = plan.buffers[f"{step}:scratch"]
            channels = plan.values[step].type.elements
            assert (buffer.bytes, buffer.element_bytes) == (4 * channels, 4)
            assert buffer.first == buffer.last
        seen |= {*kept(plan)}
    assert seen


def ran(model: CompiledModel, graph: Graph, inputs: dict[str, Array], place: Image) -> Array:
    """The result; rows are pushed in two lots."""
    if place == "rows":
        stream, (photo,) = model.stream(), inputs.values()
        stream.push(photo[0, :5])
        stream.push(photo[0, 5:])
        return np.asarray(stream.finish())
    return np.asarray(model(*(inputs[node.name][0] for node in graph.inputs)))


def options_of(way: str, graph: Graph, target: Target) -> PlanOptions:
    """The plan without options, or one near to the smallest arena."""
    place: Image = "rows" if way == "rows" else "caller"
    least = pareto(graph, target, place)[-1].arena_bytes
    ram = (least // 2, least) if way == "regions" else least
    return DEFAULT if way in ("whole", "views") else PlanOptions(ram=ram, input=place)


@pytest.mark.parametrize("target", [GENERIC, native_target()], ids=["generic", "native"])
@pytest.mark.parametrize("way", ["whole", "views", "small", "rows", "regions"])
def test_the_c_gives_the_codes_of_the_graph(
    graphs: dict[str, Graph], way: str, target: Target
) -> None:
    graph = graphs["means_as_views" if way == "views" else "mean_of_rows"]
    options = options_of(way, graph, target)
    plan = build_plan(graph, target, options)
    assert bool(kept(plan)) == (way not in ("whole", "views"))
    assert (plan.slow_bytes > 0) == (way == "regions")
    inputs = photos(graph)
    model = netgen.compile(graph, target=target.name, **options.keywords())
    expected = stored(graph, inputs)[graph.outputs[0]][0]
    for _ in range(2):  # nothing of a run before is left in the sums
        found = ran(model, graph, inputs, options.input)
        np.testing.assert_array_equal(found, expected)


def graph_of(means: list[Mean]) -> Graph:
    """A network of an input of codes for each mean, and an output."""
    inputs = [Node(f"x{n}", Input(), (), mean.x) for n, mean in enumerate(means)]
    outputs = [Node(f"y{n}", mean.op, (f"x{n}",), mean.y) for n, mean in enumerate(means)]
    return Graph("means", [*inputs, *outputs], [node.name for node in outputs])


@pytest.mark.parametrize(
    ("target", "threads"), [("generic", 1), ("native", 1), ("generic", 3)], ids=str
)
def test_code_for_code_as_tensorflow_lite(target: str, threads: int) -> None:
    means = [*drawn(4, 24), *ties()]
    model = netgen.compile(graph_of(means), target=target, threads=threads)
    found = model(*(mean.codes[0] for mean in means))
    for array, mean in zip(found, means, strict=True):
        np.testing.assert_array_equal(array.reshape(-1), mean.expected(), err_msg=str(mean.x))


@network
def mean_of_wide_rows() -> Tensor:
    """Rows of which a call adds enough to be divided."""
    q = dsl.pad(dsl.quantize(image(5, 120, 64), 0.03, -5), (1, 1, 0, 0))
    return dsl.dequantize(dsl.global_avg_pool(q, 0.011, 20))


CODES_ALONE = """netgen 1
graph codes {
  %image   : i8[1,5,120,64] {scale=0x1p-5, zero=-5} = input
  %pad     : i8[1,7,120,64] {scale=0x1p-5, zero=-5} = pad(%image) {pad=(1,1,0,0)}
  %mean    : i8[1,1,1,64] {scale=0x1p-6, zero=20} = global_avg_pool(%pad) {scale=0x1p-6, zero=20}
  return %mean
}
"""


@pytest.mark.parametrize("place", ["caller", "rows"])
def test_parts_of_a_band_add_up_channels_of_their_own(place: Image) -> None:
    """A mean that is pushed, and one that is written into the caller's memory."""
    graph = run_pipeline(netgen.load(mean_of_wide_rows))
    if place == "caller":
        graph, _ = parse_graph(CODES_ALONE)
    ram = pareto(graph, GENERIC, place)[-1].arena_bytes
    options = PlanOptions(ram=ram, input=place, threads=3)
    plan = build_plan(graph, GENERIC, options)
    check_plan(plan)
    (step,) = kept(plan)
    index = next(step.instance for step in plan.steps if step.scratch)
    divided = plan.instances[index].parameters["split"]
    assert divided == {"by": "channels", "bounds": [[0, 21, 43, 64]]}
    assert plan.buffers[f"{step}:scratch"].bytes == 4 * 64  # shared, whatever the threads
    inputs = photos(graph)
    model = netgen.compile(graph, target="generic", **options.keywords())
    expected = stored(graph, inputs)[graph.outputs[0]][0]
    np.testing.assert_array_equal(ran(model, graph, inputs, place), expected)


@pytest.mark.parametrize("compiler", ["gcc", "clang", "arm-none-eabi-gcc"])
def test_the_c_has_no_warnings(compiler: str, graphs: dict[str, Graph], tmp_path: Path) -> None:
    """Codes of one type and their int32 sums are handed to threads, too, where there are some."""
    rows, (alone, _) = graphs["mean_of_rows"], parse_graph(CODES_ALONE)
    least = {graph.name: pareto(graph, GENERIC)[-1].arena_bytes for graph in (rows, alone)}
    threads = 1 if compiler.startswith("arm") else 3
    ways = [
        (graph_of([*drawn(4, 9)]), DEFAULT),
        (rows, PlanOptions(ram=(least[rows.name] // 2, least[rows.name]))),
        (alone, PlanOptions(ram=least[alone.name], threads=threads)),
    ]
    for graph, options in ways:
        for source in emission(graph, "generic", memory=options).write(tmp_path):
            command = [compiler, "-std=c99", "-O2", *WARNINGS, "-c", source, "-o", "object.o"]
            run_tool(command, tmp_path)


@network
def means_of_many_scales() -> tuple[Tensor, ...]:
    """Means that saturate, that are tiny, and between: shifts to the left, none, and of 31 bits."""
    q = dsl.pad(dsl.quantize(image(3, 4, 8), 0.03, -5), (1, 0, 0, 0))
    scales = [0.03 * 2.0**n for n in (-18, -6, -4, -1, 0, 3, 28, 40)]
    return tuple(dsl.dequantize(dsl.global_avg_pool(q, scale, 20)) for scale in scales)


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
    """The arena is poisoned before each run."""
    rows, many = graphs["mean_of_rows"], run_pipeline(netgen.load(means_of_many_scales))
    least = pareto(rows, GENERIC)[-1].arena_bytes
    for graph, options in ((rows, PlanOptions(ram=least)), (many, DEFAULT)):
        emitted = emission(graph, "generic", memory=options)
        inputs = photos(graph)
        found = emitted.run(emitted.build(tmp_path, [*command]), inputs)
        expected = stored(graph, inputs)
        for name, array in found.items():
            np.testing.assert_array_equal(array, expected[name], err_msg=name)


def test_plans_show_where_sums_wait(graphs: dict[str, Graph]) -> None:
    graph = graphs["mean_of_rows"]
    plan = build_plan(graph, GENERIC, options_of("small", graph, GENERIC))
    scratch = plan.buffers["global_avg_pool:scratch"]
    table = "\n".join(plan_table(plan))
    assert table.count(f", sums @{scratch.offset}\n") == 1
    assert re.search(rf"arena +{scratch.offset} +28 +0-\d  global_avg_pool:scratch\n", table)


def test_sums_are_hotter_than_the_result(graphs: dict[str, Graph]) -> None:
    """Every band reads and writes them: they take the fast region, where there is room for one."""
    graph = graphs["mean_of_rows"]
    least = pareto(graph, GENERIC)[-1].arena_bytes
    plan = build_plan(graph, GENERIC, PlanOptions(ram=(28, least)))
    fast = [b.name for b in plan.buffers.values() if b.kind == "arena" and b.offset < 28]
    assert (fast, plan.fast_bytes) == (["global_avg_pool:scratch"], 28)
