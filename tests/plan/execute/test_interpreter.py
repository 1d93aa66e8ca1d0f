from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from netgen.errors import InputError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.operator import Signature
from netgen.kernels.targets import TARGETS, Target, find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.execution_order import height
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import Plan, Step
from netgen.plan.execute.interpreter import execute
from netgen.plan.execute.memory import Memory
from netgen.weights.seeded import seeded_weights
from tests.cases import examples, heavy
from tests.ir.random_graphs import graphs
from tests.meaning import meaning
from tests.plan.small_graphs import BODIES, built, images, layered, read

targets = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


def worst_error(plan: Plan, graph: Graph) -> float:
    """The largest error of any value, relative to the value's largest element; NaN counts as 1."""
    inputs = images(graph)
    found, expected = execute(plan, graph, inputs), interpret(graph, inputs)
    # Copies of outputs have names of their own, and stand in the order of the graph's outputs.
    pairs = list(zip(plan.outputs, graph.outputs, strict=True))
    pairs += [(name, name) for name in found if name in expected]
    assert set(plan.values) == set(found)
    errors = []
    for mine, theirs in pairs:
        scale = float(np.abs(expected[theirs]).max()) or 1.0
        errors.append(float(np.abs(found[mine] - expected[theirs]).max()) / scale)
    return float(np.nan_to_num(max(errors), nan=1.0))


def passes(graph: Graph, target: Target) -> None:
    plan = build_plan(graph, target)
    check_plan(plan)
    assert worst_error(plan, graph) < 1e-5


def passes_step_by_step(graph: Graph, target: Target) -> None:
    """Check each step by its own operands, unlike `passes`: rounding may add up."""
    plan = build_plan(graph, target)
    check_plan(plan)
    found = execute(plan, graph, images(graph))
    for step in plan.steps:
        operands = {a: found[name].astype(float) for a, name in step.reads.items()}
        operands |= {a: graph.constant(c.name).astype(float) for a, c in step.constants.items()}
        letters = [letter for letter in step.op.letters(len(operands)) if letter in operands]
        expected = meaning(step.op, [operands[letter] for letter in letters])
        scale = float(np.abs(expected).max())
        np.testing.assert_allclose(found[step.writes], expected, rtol=1e-6, atol=1e-6 * scale)
    assert worst_error(plan, graph) < 1e-3


def small_network(network: str, size: int, padding: str) -> Graph:
    alpha = 0.25 if network == "mobilenet_v1" else 0.35
    return built(network, alpha=alpha, input_size=size, padding=padding, classes=10)


@pytest.mark.parametrize("padding", ["torch", "tensorflow"])
@pytest.mark.parametrize(
    ("network", "size"),
    [("mobilenet_v1", 33), heavy("mobilenet_v2", 45), heavy("mobilenet_v2", 64)],
)
def test_networks_compute_what_their_graph_means(network: str, size: int, padding: str) -> None:
    passes(small_network(network, size, padding), TARGETS[0])


@targets
@pytest.mark.parametrize("network", ["mobilenet_v1", heavy("mobilenet_v2")])
def test_networks_compute_the_same_for_all_targets(network: str, target: Target) -> None:
    passes(small_network(network, 32, "torch"), target)


# Targets differ in the kernels of what is left after the passes.
@pytest.mark.parametrize(
    ("optimised", "target"),
    [
        pytest.param(
            *(optimised, target),
            id=f"{'after_passes' if optimised else 'as_written'}-{target.name}",
            marks=[pytest.mark.heavy] * (not optimised and target.name != "generic"),
        )
        for optimised in (False, True)
        for target in TARGETS
    ],
)
@pytest.mark.parametrize("body", BODIES)
def test_small_graphs(body: str, optimised: bool, target: Target) -> None:
    graph = read(BODIES[body])
    passes(run_pipeline(graph) if optimised else graph, target)


@given(layered())
@examples(60)
def test_layered_graphs(graph: Graph) -> None:
    for target in (TARGETS[0], find_target("x86-64-v4")):
        passes_step_by_step(graph, target)


@given(graphs())
@examples(100)
def test_random_graphs(graph: Graph) -> None:
    graph = run_pipeline(graph.with_constants(seeded_weights(graph)))
    passes_step_by_step(graph, TARGETS[0])


def test_values_are_read_before_they_die() -> None:
    graph = read(BODIES["in_place_chain"])
    plan = build_plan(graph, TARGETS[0])
    assert plan.overlaps, "this graph is meant to work in place"
    found = execute(plan, graph, images(graph))
    assert all(np.isfinite(array).all() for array in found.values())
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}


def test_dead_bytes_are_poisoned_and_live_ones_are_not() -> None:
    graph = read(BODIES["in_place_chain"])
    plan = build_plan(graph, TARGETS[0])
    memory = Memory(plan)
    for name in ("a", "d"):
        memory.write(name, 0, np.ones(plan.values[name].type.shape))
    died = plan.buffers["a"].last
    memory.poison_dead(died)
    assert (memory.read("d", 0, 6) == 1.0).all()
    # The operand began after the output, and ends after it: exactly that much is gone.
    rest = np.isnan(memory.read("a", 0, 6))
    assert rest.sum() * 4 == plan.overlaps[0].distance


def test_a_value_that_waits_is_lost_where_another_takes_its_place() -> None:
    graph = read(BODIES["branch"])
    plan = build_plan(graph, TARGETS[0])
    assert worst_error(plan, graph) < 1e-6
    moved = replace(plan.buffers["r"], offset=plan.buffers["l"].offset)
    broken = replace(plan, buffers={**plan.buffers, "r": moved})
    assert worst_error(broken, graph) > 0.1


def in_bands(plan: Plan, step: Step, operands: Mapping[str, np.ndarray]) -> np.ndarray:
    """The first row of a result, then all others: bands see no more than they reach."""
    types, result = operand_types(plan, step), plan.values[step.writes].type
    signature = Signature(tuple(types.values()), result)
    rows = height(plan, step)
    found: list[np.ndarray] = []
    for first, end in [(0, 1), (1, rows)] if rows > 1 else [(0, 1)]:
        seen = dict(operands)
        for letter in step.reads:
            reach = step.op.row_reach(letter, types, result)
            if reach is not None:
                seen[letter] = np.full_like(operands[letter], np.nan)
                there = slice(reach.begin(first, 1 << 20), reach.end(end, 1 << 20))
                seen[letter][:, there] = operands[letter][:, there]
        if step.op.sums_rows:
            before = found.pop() if found else np.zeros(result.shape)
            found.append(step.op.reference_sum(before, seen["x"], signature, first, end))
        else:
            listed = [seen[letter] for letter in types]
            found.append(step.op.reference_rows(listed, signature, first, end))
    return np.concatenate(found, axis=1)


@pytest.mark.parametrize("network", ["mobilenet_v2", "mobilenet_v3_small", "resnet8"])
def test_bands_of_rows_are_rows_of_the_whole(network: str) -> None:
    graph = built(network, input_size=32, classes=10)
    plan = build_plan(graph, TARGETS[0])
    values = interpret(graph, images(graph))
    banded = 0
    for step in plan.steps:
        operands = {a: values[name] for a, name in step.reads.items()}
        operands |= {a: graph.constant(c.name).astype(float) for a, c in step.constants.items()}
        expected = values[step.writes]
        if expected.ndim == 4:
            banded += 1
            rows = in_bands(plan, step, operands)
            scale = np.abs(expected).max()
            tolerance = 1e-6 if step.op.sums_rows else 1e-9
            np.testing.assert_allclose(rows, expected, rtol=tolerance, atol=tolerance * scale)
    assert banded >= 10


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "no array for the input %image"),
        ({"image": np.zeros((6, 5, 4))}, r"%image has the wrong shape, expected \[1, 6, 5, 4\]"),
    ],
)
def test_wrong_inputs(inputs: dict[str, np.ndarray], message: str) -> None:
    graph = read(BODIES["branch"])
    with pytest.raises(InputError, match=message):
        execute(build_plan(graph, TARGETS[0]), graph, inputs)
