"""Networks of codes in plans and in C, whole, in bands, pushed, divided: the codes of the graph."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.kernels.targets import TARGETS, Target, find_target
from netgen.passes import run_pipeline
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import Image, PlanOptions
from netgen.plan.execute.interpreter import execute
from netgen.plan.pareto import pareto
from tests.emission.programs import SANITIZERS, emission
from tests.kernels.i8.random_networks import drawn_codes, random_network
from tests.plan.segments.cuts import random_plan
from tests.tools import require_processor

FOR_X86 = [target for target in TARGETS if target.name.startswith(("generic", "x86"))]


def mismatches(graph: Graph, target: str, options: PlanOptions) -> int:
    """The number of codes of the C that differ from those of the graph, over two runs."""
    model, wrong = netgen.compile(graph, target=target, **options.keywords()), 0
    for seed in (1, 2):
        inputs = drawn_codes(graph, seed)
        expected = interpret(graph, inputs)[graph.outputs[0]]
        (x,) = inputs.values()
        if options.input == "rows":
            stream = model.stream()
            for row in x[0]:
                stream.push(row[None])
            found = np.asarray(stream.finish())
        else:
            found = np.asarray(model(x[0]))
        wrong += int((found.reshape(expected.shape) != expected).sum())
    return wrong


@pytest.mark.parametrize("target", FOR_X86, ids=lambda target: target.name)
def test_the_c_gives_the_codes_of_the_graph(target: Target) -> None:
    require_processor(target.name)
    for seed in range(6):
        assert mismatches(random_network(seed), target.name, PlanOptions()) == 0, seed


def options_of(graph: Graph, target: Target) -> list[PlanOptions]:
    """A plan near to the smallest arena, one that rows are pushed into, one of three threads."""
    places: tuple[Image, ...] = "caller", "arena", "rows"
    ways = [PlanOptions(threads=3)]
    for place in places:
        # Some networks cannot be pushed into: their tables are empty, or refused.
        with suppress(netgen.NetgenError):
            ways.append(PlanOptions(ram=pareto(graph, target, place)[-1].arena_bytes, input=place))
    assert len(ways) >= 3
    return ways


@pytest.mark.heavy
@pytest.mark.parametrize("target", FOR_X86, ids=lambda target: target.name)
def test_no_plan_changes_a_code(target: Target) -> None:
    require_processor(target.name)
    for seed in range(100, 110):
        graph = run_pipeline(random_network(seed, 8))
        assert mismatches(graph, target.name, PlanOptions()) == 0, seed
        for options in options_of(graph, target):
            assert mismatches(graph, target.name, options) == 0, (seed, options)


@pytest.mark.parametrize("seed", range(3))
def test_plans_give_the_codes_of_the_graph(seed: int) -> None:
    graph, target = run_pipeline(random_network(200 + seed)), find_target("generic")
    inputs, draw = drawn_codes(graph, seed), np.random.default_rng(seed)
    expected = interpret(graph, inputs)
    for number in range(9):
        place: Image = ("caller", "arena", "rows")[number % 3]
        plan = random_plan(graph, target, place, draw, high=number % 2 == 0)
        if plan is not None:
            check_plan(plan)
            for name, array in execute(plan, graph, inputs).items():
                np.testing.assert_array_equal(array, expected[name], err_msg=name)


def test_programs_on_exact_buffers(tmp_path: Path) -> None:
    for seed in range(300, 304):
        graph = run_pipeline(random_network(seed))
        emitted, inputs = emission(graph, "generic"), drawn_codes(graph, seed)
        expected = interpret(graph, inputs)
        program = emitted.build(tmp_path, ["gcc", "-std=c99", "-O1", *SANITIZERS])
        for name, array in emitted.run(program, inputs).items():
            np.testing.assert_array_equal(array, expected[name], err_msg=f"{seed} {name}")
