from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from netgen.errors import InputError, PlanError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.kernels.targets import TARGETS, Target, find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check import check_plan
from netgen.plan.execute import Memory, compute_band, execute
from netgen.plan.plan import Plan
from netgen.weights.seeded import seeded_weights
from tests.ir.random_graphs import graphs
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
    """As `passes`, but rounding may add up: each step is judged by what it read."""
    plan = build_plan(graph, target)
    check_plan(plan)
    found = execute(plan, graph, images(graph))
    for step in plan.steps:
        operands = {a: found[name].astype(float) for a, name in step.reads.items()}
        operands |= {a: graph.constant(name).astype(float) for a, name in step.constants.items()}
        letters = [letter for letter in step.op.operand_names if letter in operands]
        expected = step.op.reference([operands[letter] for letter in letters])
        scale = float(np.abs(expected).max())
        np.testing.assert_allclose(found[step.writes], expected, rtol=1e-6, atol=1e-6 * scale)
    assert worst_error(plan, graph) < 1e-3


@targets
@pytest.mark.parametrize("padding", ["torch", "tensorflow"])
@pytest.mark.parametrize("size", [32, 33, 45, 64])
@pytest.mark.parametrize("network", ["mobilenet_v1", "mobilenet_v2"])
def test_networks_compute_what_their_graph_means(
    network: str, size: int, padding: str, target: Target
) -> None:
    alpha = 0.25 if network == "mobilenet_v1" else 0.35
    graph = built(network, alpha=alpha, input_size=size, padding=padding, classes=10)
    passes(graph, target)


@targets
@pytest.mark.parametrize("optimised", [False, True], ids=["as_written", "after_passes"])
@pytest.mark.parametrize("body", BODIES)
def test_small_graphs(body: str, optimised: bool, target: Target) -> None:
    graph = read(BODIES[body])
    passes(run_pipeline(graph) if optimised else graph, target)


@given(layered())
@settings(max_examples=150)
def test_layered_graphs(graph: Graph) -> None:
    for target in (TARGETS[0], find_target("x86-64-v4")):
        passes_step_by_step(graph, target)


@given(graphs())
@settings(max_examples=100)
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
        memory.write(name, np.ones(plan.values[name].type.shape))
    died = plan.buffers["a"].last
    memory.poison_dead(died)
    assert (memory.read("d") == 1.0).all()
    # The operand began after the output, and ends after it: exactly that much is gone.
    rest = np.isnan(memory.read("a"))
    assert rest.sum() * 4 == plan.overlaps[0].distance


def test_a_step_without_overlap_loses_what_it_writes_over() -> None:
    graph = read(BODIES["branch"])
    plan = build_plan(graph, TARGETS[0])
    step = next(index for index, step in enumerate(plan.steps) if step.op.operator_name == "conv2d"
                and plan.buffer_of(step.reads["x"]).kind == "arena")  # fmt: skip
    read_from = plan.buffer_of(plan.steps[step].reads["x"])
    name = plan.buffer_of(plan.steps[step].writes).name
    moved = replace(plan.buffers[name], offset=read_from.offset, kind="arena")
    broken = replace(plan, buffers={**plan.buffers, name: moved})
    assert worst_error(broken, graph) == 1.0


def test_only_a_depthwise_convolution_may_overwrite_at_a_distance() -> None:
    graph = read(BODIES["add_to_itself"])
    plan = build_plan(graph, TARGETS[0])
    overlaps = tuple(replace(overlap, distance=4) for overlap in plan.overlaps)
    with pytest.raises(PlanError, match="add gives no order in which it could overwrite a"):
        execute(replace(plan, overlaps=overlaps), graph, images(graph))


def test_bands_of_rows_are_rows_of_the_whole() -> None:
    graph = built("mobilenet_v2", alpha=0.35, input_size=32, classes=10)
    plan = build_plan(graph, TARGETS[0])
    values = interpret(graph, images(graph))
    banded = 0
    for step in plan.steps:
        operands = {a: values[name] for a, name in step.reads.items()}
        operands |= {a: graph.constant(name).astype(float) for a, name in step.constants.items()}
        if step.rows < 2:
            continue
        banded += 1
        bands = [range(1), range(1, step.rows)]
        rows = np.concatenate([compute_band(step, operands, band) for band in bands], axis=1)
        np.testing.assert_allclose(rows, values[step.writes], rtol=1e-9, atol=1e-9)
    assert banded > 30
    pool = next(s for s in plan.steps if s.op.operator_name == "global_avg_pool")
    with pytest.raises(PlanError, match="global_avg_pool is not computed in bands"):
        compute_band(pool, {"x": values[pool.reads["x"]]}, range(2))


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
