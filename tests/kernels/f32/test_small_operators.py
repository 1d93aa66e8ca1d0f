"""Elementwise, pooling, moving and softmax kernels as compiled C, against the NumPy references.

Many random layers stand in one network, so that one compilation tests them all.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import netgen.ops as dsl
from netgen.dsl.tensor import Tensor, constructing, finish, image
from netgen.errors import GraphError, PlanError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.verify import verify
from netgen.kernels.targets import Compiler, find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.plan import Plan
from netgen.plan.execute.interpreter import execute
from netgen.plan.json.plan_from_json import plan_from_json
from netgen.plan.json.plan_to_json import plan_to_json
from netgen.weights.seeded import seeded_weights
from tests.cases import different_targets
from tests.emission.programs import WARNINGS, emission, flags_of
from tests.kernels.layers import normal_inputs, worst_errors
from tests.tools import link, run_tool

CHANNELS = (1, 3, 4, 16, 24, 29, 58)
LIMIT = 2e-6
# Those that a machine of the tests can run; the others are emulated elsewhere.
RUNNABLE = ("generic", "x86-64-v2", "x86-64-v3", "x86-64-v4")

Body = Callable[[], "Tensor | tuple[Tensor, ...]"]


def graph_of(body: Body) -> Graph:
    """The graph of a function over tensors, with seeded weights."""
    with constructing() as construction:
        result = body()
        outputs = result if isinstance(result, tuple) else (result,)
        graph = finish(construction, "case", outputs)
    return verify(graph.with_constants(seeded_weights(graph)))


class Layers:
    """Random layers, each with an input of its own; the same for a seed on every machine."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)

    def below(self, end: int, first: int = 0) -> int:
        return int(self.draw.integers(first, end))

    def image(self) -> Tensor:
        channels = CHANNELS[self.below(len(CHANNELS))]
        return image(self.below(9, 1), self.below(12, 1), channels)

    def numbers(self, *shape: int) -> Tensor:
        return dsl.constant(self.draw.standard_normal(shape))

    def activated(self, x: Tensor) -> Tensor:
        acts = (dsl.identity, dsl.relu, dsl.hard_swish, dsl.hard_sigmoid, dsl.sigmoid)
        return acts[self.below(len(acts))](x)

    def binary(self) -> Tensor:
        x = self.image()
        rows, columns = (x.height, x.width) if self.below(2) else (1, 1)
        if self.below(2):
            second = self.numbers(1, rows, columns, x.channels)
        else:
            second = image(rows, columns, x.channels)
        return self.activated((dsl.add, dsl.mul)[self.below(2)](x, second))

    def sigmoid(self) -> Tensor:
        x = self.image()
        layer = self.below(4)
        if layer == 0:
            x = dsl.conv2d(x, CHANNELS[self.below(len(CHANNELS))], self.below(3, 1), pad=1)
        if layer == 1:
            x = dsl.depthwise_conv2d(x, 3, pad=1)
        return (dsl.sigmoid, dsl.hard_sigmoid)[self.below(2)](x)

    def pool(self) -> Tensor:
        kernel = (self.below(5, 1), self.below(5, 1))
        stride = (self.below(4, 1), self.below(4, 1))
        rows, columns = kernel
        pad = (self.below(rows), self.below(rows), self.below(columns), self.below(columns))
        ceil = self.below(2) == 1
        x = self.image()
        if self.below(2):
            return dsl.max_pool2d(x, kernel, stride=stride, pad=pad, ceil_mode=ceil)
        counted = self.below(2) == 1
        return dsl.avg_pool2d(
            x, kernel, stride=stride, pad=pad, ceil_mode=ceil, count_include_pad=counted
        )

    def move(self) -> Tensor:
        x = self.image()
        match self.below(6):
            case 0:
                others = [image(x.height, x.width, self.below(6, 1)) for _ in range(self.below(12))]
                return dsl.concat(*others, x, x)
            case 1:
                groups = [g for g in range(1, 30) if x.channels % g == 0]
                return dsl.channel_shuffle(x, groups[self.below(len(groups))])
            case 2:
                first, step = self.below(x.channels), self.below(4, 1)
                length = self.below((x.channels - first - 1) // step + 2, 1)
                return dsl.channel_slice(x, first, length, step)
            case 3:
                return dsl.channel_pad(x, self.below(4), self.below(4))
            case 4:
                start = (self.below(x.height), self.below(x.width))
                return dsl.spatial_slice(x, start=start, stride=(self.below(4, 1), 2))
            case _:
                return dsl.softmax(x if self.below(2) else dsl.flatten(x))

    def layer(self, number: int) -> Tensor:
        """A possible layer: attributes are drawn until they fit each other."""
        kinds = (self.binary, self.sigmoid, self.pool, self.pool, self.move, self.move)
        while True:
            with suppress(GraphError):
                return kinds[number % len(kinds)]()


@pytest.fixture(scope="module")
def layers() -> Graph:
    drawing = Layers(3)
    return graph_of(lambda: tuple(drawing.layer(number) for number in range(60)))


def test_layers_are_of_all_kinds(layers: Graph) -> None:
    found = {node.op.operator_name for node in layers.activations}
    wanted = "add mul sigmoid hard_sigmoid max_pool2d avg_pool2d concat channel_shuffle softmax"
    assert found >= {*wanted.split(), "channel_slice", "channel_pad", "spatial_slice"}


def expected(
    plan: Plan, graph: Graph, inputs: dict[str, npt.NDArray[np.float32]]
) -> dict[str, npt.NDArray[np.float64]]:
    """All values, and outputs by the names that the plan has: an output may be a copy."""
    values = interpret(graph, inputs)
    pairs = zip(plan.outputs, graph.outputs, strict=True)
    return values | {name: values[output] for name, output in pairs}


# Each compiler once, with the least and the widest vectors; the other pairs in CI.
@pytest.mark.parametrize(
    ("compiler", "target"),
    [
        pytest.param(compiler, name, marks=[pytest.mark.heavy] * (n != 3 * m))
        for m, compiler in enumerate(("clang", "gcc"))
        for n, name in enumerate(RUNNABLE)
    ],
)
def test_against_the_references(
    layers: Graph, target: str, compiler: Compiler, tmp_path: Path
) -> None:
    made = emission(layers, target)
    command = flags_of(target, compiler)
    made.write(tmp_path)
    run_tool([*command, *WARNINGS, "-c", "model.c", "-o", "model.o"], tmp_path)
    (tmp_path / "driver.c").write_text(made.driver())
    program = link(tmp_path, [*command, "-I."], ["model.o", "driver.c"])
    inputs = normal_inputs(layers)
    errors = worst_errors(made.run(program, inputs), expected(made.plan, layers, inputs))
    names = dict(zip(made.plan.outputs, layers.outputs, strict=True))
    ops = {name: layers[names[name]].op for name, error in errors.items() if error > LIMIT}
    assert not ops


@pytest.mark.parametrize("target", different_targets())
def test_plans_are_accepted_and_executed(layers: Graph, target: str) -> None:
    graph = run_pipeline(layers)
    plan = build_plan(graph, find_target(target))
    check_plan(plan)
    assert plan_from_json(plan_to_json(plan)) == plan
    inputs = normal_inputs(layers)
    errors = worst_errors(execute(plan, graph, inputs), expected(plan, graph, inputs))
    assert max(errors.values()) < 1e-6


def squeeze_and_excite() -> Tensor:
    x = dsl.relu(dsl.conv2d(image(6, 5, 3), 24))
    gate = dsl.hard_sigmoid(dsl.conv2d(dsl.global_avg_pool(x), 24))
    y = dsl.sigmoid(dsl.mul(x, gate) + dsl.constant(np.ones((1, 1, 1, 24))))
    return dsl.conv2d(dsl.mul(y, dsl.constant(np.full(y.shape, 0.5))), 4)


def test_elementwise_operators_work_in_place() -> None:
    graph = run_pipeline(graph_of(squeeze_and_excite))
    plan = build_plan(graph, find_target("generic"))
    check_plan(plan)
    steps = {step.writes: step for step in plan.steps}
    taken = {
        (step.op.operator_name, letter, overlap.distance)
        for overlap in plan.overlaps
        for step in [steps[overlap.result]]
        for letter, value in step.reads.items()
        if value == overlap.operand
    }
    assert taken == {("mul", "a", 0), ("add", "a", 0)}
    assert plan_from_json(plan_to_json(plan)) == plan
    inputs = normal_inputs(graph)
    errors = worst_errors(execute(plan, graph, inputs), interpret(graph, inputs))
    assert max(errors.values()) < 1e-6


@pytest.mark.parametrize("target", RUNNABLE)
def test_nan_and_infinity(target: str, tmp_path: Path) -> None:
    width = 29
    graph = graph_of(
        lambda: (
            dsl.sigmoid(x := image(1, 1, width)),
            dsl.hard_sigmoid(x),
            dsl.max_pool2d(image(2, 1, width), (2, 1)),
            dsl.softmax(x),
            # Fused, and therefore computed in vectors.
            dsl.sigmoid(dsl.depthwise_conv2d(x, 1)),
            dsl.hard_sigmoid(dsl.depthwise_conv2d(x, 1)),
        )
    )
    graph = graph.with_constants(
        {key: np.full_like(array, key.endswith("w")) for key, array in graph.constants.items()}
    )
    made = emission(graph, target)
    program = made.build(tmp_path, flags_of(target))
    x = np.zeros((1, 1, 1, width), np.float32)
    x[..., 0], x[..., 9], x[..., 28] = np.nan, np.inf, -np.inf
    y = np.zeros((1, 2, 1, width), np.float32)
    y[0, 0, 0, 3] = y[0, 1, 0, 20] = y[0, 0, 0, 28] = np.nan
    y[0, :, 0, 5], y[0, 0, 0, 6] = -np.inf, np.inf
    found = list(made.run(program, {"image": x, "image_2": y}).values())
    for sigmoid in found[:2] + found[4:]:
        assert np.isnan(sigmoid[0, 0, 0, 0])
        assert sigmoid[0, 0, 0, 9] == 1.0
        assert 0.0 <= sigmoid[0, 0, 0, 28] < 1e-37
        assert np.allclose(np.delete(sigmoid, [0, 9, 28]), 0.5)
    assert np.flatnonzero(np.isnan(found[2])).tolist() == [3, 20, 28]
    assert found[2][0, 0, 0, 5] == -np.inf
    assert found[2][0, 0, 0, 6] == np.inf
    assert np.isnan(found[3]).all()


@pytest.mark.parametrize("target", RUNNABLE)
def test_attributes_of_activations_by_channel(target: str, tmp_path: Path) -> None:
    """Each writes its channels of one buffer, so no two pixels are neighbours."""
    alphas = (0.01, 0.25, -0.5)
    graph = graph_of(
        lambda: dsl.concat(*(dsl.leaky_relu(image(3, 5, 29), alpha=alpha) for alpha in alphas))
    )
    made = emission(graph, target)
    inputs = normal_inputs(graph)
    found = made.run(made.build(tmp_path, flags_of(target)), inputs)
    assert max(worst_errors(found, expected(made.plan, graph, inputs)).values()) < LIMIT
    for alpha in ("0.01f", "0.25f", "-0.5f"):
        assert f", {alpha})" in made.logic


def test_exponentials_over_their_whole_range(tmp_path: Path) -> None:
    graph = graph_of(lambda: (dsl.softmax(image(1000, 1, 2)), dsl.sigmoid(image(1, 1, 4001))))
    made = emission(graph, "x86-64-v2")
    program = made.build(tmp_path, flags_of("x86-64-v2"))
    steps = np.linspace(0.0, 80.0, 1000, dtype=np.float32)
    pairs = np.stack([np.zeros(1000, np.float32), -steps], axis=-1).reshape(1, 1000, 1, 2)
    line = np.linspace(-80.0, 80.0, 4001, dtype=np.float32).reshape(1, 1, 1, -1)
    inputs = {"image": pairs, "image_2": line}
    expected = interpret(graph, inputs)
    for name, array in made.run(program, inputs).items():
        np.testing.assert_allclose(array, expected[name], rtol=5e-7)


def test_only_what_is_used_is_printed() -> None:
    plain = emission(graph_of(lambda: dsl.relu(image(2, 2, 16))), "x86-64-v3").logic
    fused = emission(graph_of(squeeze_and_excite), "x86-64-v3").logic
    for word in ("exponential", "larger", "sigmoid"):
        assert word not in plain.lower()
    assert "model_exponential_v8(" in fused
    assert "model_exponential(" not in fused
    for text in (plain, fused):
        assert "math.h" not in text


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (lambda k: dsl.add(k, k), "no kernel computes add .* whose a and b are constants"),
        (lambda k: dsl.relu(k), "the operand x of relu is a constant, expected an activation"),
        (lambda k: dsl.concat(image(1, 2, 3), k), "the operand x1 of channel_map is a constant"),
    ],
)
def test_constants_where_no_kernel_takes_them(
    body: Callable[[Tensor], Tensor], message: str
) -> None:
    graph = graph_of(lambda: (body(dsl.constant(np.ones((1, 1, 2, 3)))), dsl.relu(image(1, 2, 3))))
    with pytest.raises(PlanError, match=message):
        build_plan(run_pipeline(graph), find_target("generic"))
