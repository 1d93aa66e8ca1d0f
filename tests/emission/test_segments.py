"""Segments as C: which band follows which, where rows stand, what a reviewer reads."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netgen.compiler import Lowered, build
from netgen.emission.calls import Calls
from netgen.emission.options import EmitOptions
from netgen.ir.graph import Graph
from netgen.ir.origin import Origin
from netgen.ir.text import parse_graph
from netgen.kernels.targets import Compiler, find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.data.execution_order import execution_order
from netgen.plan.data.options import Image, PlanOptions
from netgen.plan.data.plan import Buffer, BufferRun, Plan, Slots, Value
from netgen.plan.packing import pack_weights
from netgen.runtime.model import CompiledModel
from netgen.weights.seeded import seeded_weights
from tests.cases import examples, heavy
from tests.emission.expressions import evaluate
from tests.emission.programs import SANITIZERS, WARNINGS, Emission, emission, emission_of, flags_of
from tests.emission.test_text import CLUMSY
from tests.kernels.layers import normal_inputs
from tests.plan.segments.cuts import random_plan
from tests.plan.small_graphs import BODIES, read
from tests.tools import COMPILERS, any_compiler, run_tool

GENERIC = find_target("generic")


@pytest.fixture(scope="module")
def banded(small_graph: Graph) -> Emission:
    """MobileNetV2 on 32 pixels in the smallest arena: rings, a residual's delay, loops of one."""
    return emission(small_graph, "generic", memory=PlanOptions(ram=17000))


def model_of(graph: Graph, plan: Plan) -> CompiledModel:
    lowered = run_pipeline(graph)
    return build(Lowered(lowered, plan, pack_weights(plan, lowered)), Origin(graph.name))


def steps_run(model: CompiledModel, images: list[np.ndarray]) -> list[int]:
    """The steps in the order in which the C calls its hook."""
    seen: list[int] = []
    assert model.run_with_hook(*images, hook=lambda step, _arena: seen.append(step)) is not None
    return seen


def body_of(text: str, function: str) -> str:
    """The lines of a function's definition."""
    start = text.index("\n{", text.index(f" {function}("))
    return text[start : text.index("\n}", start)]


@pytest.mark.parametrize("image", [heavy("caller"), heavy("arena"), "rows"])
def test_bands_follow_each_other_as_planned(
    image: Image, small_graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETGEN_CACHE_DIR", str(tmp_path))
    lowered, draw = run_pipeline(small_graph), np.random.default_rng(3)
    plan = random_plan(lowered, GENERIC, image, draw, high=False)
    assert plan is not None
    model = model_of(small_graph, plan)
    images = [array[0] for array in normal_inputs(small_graph).values()]
    assert steps_run(model, images) == [b.step for b in execution_order(plan) if b.step >= 0]


@examples(12)
@given(name=st.sampled_from(sorted(BODIES)), seed=st.integers(0, 999))
def test_bands_change_no_bit(
    name: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Bands of any height, under sanitizers, in arenas of exactly their size."""
    graph, draw = read(BODIES[name]), np.random.default_rng(seed)
    banded, layers = (
        random_plan(graph, GENERIC, "caller", draw, high=True),
        build_plan(graph, GENERIC),
    )
    assert banded is not None
    found = []
    for plan in (layers, banded):
        emitted = emission_of(graph, graph, plan)
        command = [any_compiler(), "-std=c99", "-O0", *SANITIZERS]
        program = emitted.build(tmp_path_factory.mktemp("program"), command)
        outputs = emitted.run(program, normal_inputs(graph))
        found.append({value: array.tobytes() for value, array in outputs.items()})
    assert found[0] == found[1]


# gcc took products of its depthwise convolution as vectors in a segment, and fused them elsewhere.
PORTABLE = """netgen 1
graph portable {
  %image : f32[1,7,5,5] = input
  %a : f32[1,35,1,5] = reshape(%image) {shape=(1,35,1,5)}
  %p : f32[1,17,2,5] = avg_pool2d(%a) {kernel=2, stride=(2,1), pad=(0,0,1,1), counted=(0,0,0,1)}
  %r : f32[1,17,5,2] = reshape(%p) {shape=(1,17,5,2)}
  %w : f32[7,1,1,2] = const {data=@w}
  %c : f32[1,17,5,7] = conv2d(%r, %w)
  %v : f32[14,1,2,1] = const {data=@v}
  %b : f32[14] = const {data=@b}
  %d : f32[1,9,4,14] = depthwise_conv2d(%c, %v, %b) {stride=(2,1), pad=(0,1,0,0)}
  %y : f32[1,1,1,14] = global_avg_pool(%d)
  return %y, %r
}
"""


@pytest.mark.parametrize("seed", [heavy(2), 3, heavy(4)])
def test_bands_change_no_bit_of_fused_sums(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETGEN_CACHE_DIR", str(tmp_path))
    graph, _ = parse_graph(PORTABLE)
    graph = graph.with_constants(seeded_weights(graph))
    target = find_target("x86-64-v3")
    banded = random_plan(graph, target, "caller", np.random.default_rng(seed), high=seed % 2 == 1)
    assert banded is not None
    images = [array[0] for array in normal_inputs(graph).values()]
    layers = model_of(graph, build_plan(graph, target)).run(*images)
    for expected, found in zip(layers, model_of(graph, banded).run(*images), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_hook_that_cancels_in_a_segment(
    small_graph: Graph, banded: Emission, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of a run that ended early is left in the next."""
    monkeypatch.setenv("NETGEN_CACHE_DIR", str(tmp_path))
    model = model_of(small_graph, banded.plan)
    (image,) = (array[0] for array in normal_inputs(small_graph).values())
    expected = model.run(image)[0]
    bands = len(steps_run(model, [image]))
    for stop in range(0, bands, bands // 4):
        left = [stop]

        def cancel(_step: int, _arena: object, left: list[int] = left) -> bool:
            left[0] -= 1
            return left[0] < 0

        assert model.run_with_hook(image, hook=cancel) is None
        assert left == [-1]
        np.testing.assert_array_equal(model.run(image)[0], expected)


def test_functions_of_segments_are_named_by_their_steps(banded: Emission) -> None:
    bands = Counter(band.step for band in execution_order(banded.plan))
    for segment in banded.plan.segments:
        steps = range(segment.first, segment.last + 1)
        function = f"model_steps_{segment.first}_to_{segment.last}"
        loops = len(steps) > 1 and max(bands[step] for step in steps) > 1
        assert (f" {function}(const model_t *m" in banded.logic) == loops
        body = body_of(banded.logic, function if loops else "model_run")
        for step in steps:
            call = f"/* {step}. {banded.plan.steps[step].name}: "
            assert body.count(call) == banded.logic.count(call) == 1


def test_a_step_by_itself_is_a_loop(small_graph: Graph) -> None:
    emitted = emission(small_graph, "generic", memory=PlanOptions(ram=19000, input="rows"))
    plan = emitted.plan
    bands = Counter(band.step for band in execution_order(plan))
    alone = [s.first for s in plan.segments[1:] if s.first == s.last and bands[s.first] > 1]
    loops = re.findall(r"for \(int row = 0; row < (height\d+); \+\+row\) {", emitted.logic)
    heights = dict(re.findall(r"(height\d+) = (\d+)", emitted.logic))
    assert [int(heights[name]) for name in loops] == [bands[step] for step in alone]


def test_layers_as_before_where_nothing_is_banded(small_graph: Graph) -> None:
    emitted = emission(small_graph, "generic")
    assert "rows" not in body_of(emitted.logic, "model_run")
    assert "band" not in emitted.header


@pytest.mark.parametrize("image", [heavy("arena"), "rows"])
def test_reads_as_if_written_by_hand(image: Image, small_graph: Graph) -> None:
    emitted = emission(small_graph, "x86-64-v3", memory=PlanOptions(ram=21000, input=image))
    # The functions of kernels have tests of their own.
    for text in (emitted.logic[emitted.logic.index("_hook(") :], emitted.header):
        assert max(map(len, text.splitlines())) <= 100
        assert not re.search(r"[ \t]+$|\n\n\n|\{\n\n|\n\n +\}", text, re.MULTILINE)
        plain = re.sub(r"^#define .*(?:\\\n.*)*", "#define", text, flags=re.MULTILINE)
        plain = plain.replace("for (;;)", "for ()")
        for what, pattern in CLUMSY.items():
            assert not re.search(pattern, plain), what


def ring(step: int, first: int, shift: int, rows: int) -> tuple[Plan, Value]:
    """A plan in which a value of 5 rows of 6 pixels, 4 channels, stands in slots of a ring."""
    graph = read(BODIES["add_to_itself"])
    plan = build_plan(graph, GENERIC)
    buffer = Buffer("ring", "arena", 4 * 4 * 9 * rows, 4, 4, 0, 1, 80, rows, 9, margin=3)
    kind = replace(plan.values["d"].type, shape=(1, 5, 6, 4))
    value = Value("d", kind, (BufferRun("ring", 0, 4),), None, Slots(step, first, shift))
    return (
        replace(plan, buffers={**plan.buffers, "ring": buffer}, values={**plan.values, "d": value}),
        value,
    )


@given(
    step=st.integers(1, 3),
    first=st.integers(0, 6),
    shift=st.integers(0, 3),
    rows=st.integers(1, 7),
)
def test_places_of_rows_are_those_of_the_plan(step: int, first: int, shift: int, rows: int) -> None:
    """The expression in C, evaluated, against the plan's own elements."""
    plan, value = ring(step, first % rows, shift, rows)
    calls = Calls(plan, EmitOptions("model", "model", "c", ""), {}, [])
    text = calls.row("d", "rows7")
    assert text.startswith("arena")
    constants = {place.name: place.first for place in calls.arena_places.values()}
    named = calls.constants_in([text])
    constants |= {name: int(n) for name, n in re.findall(r"(\w+) = (\d+)", named)}
    # No bare number is left but the ring's phase.
    assert {*re.findall(r"(?<=[+%*] )\d+", text)} <= {str(step), str(first % rows)}
    for row in range(5):
        place = evaluate(text, {"arena": 0, "rows7": row, **constants})
        assert place == 80 // 4 + plan.elements(value.name, row, row + 1)[0, 0, 0]
    assert ("%" in text) == (rows > 1 and 4 * step + first % rows >= rows)


@pytest.mark.parametrize(
    ("compiler", "image"),
    [
        pytest.param(compiler, image, marks=[pytest.mark.heavy] * ((n + m) % 2))
        for n, compiler in enumerate(COMPILERS)
        for m, image in enumerate(("caller", "arena", "rows"))
    ],
)
def test_no_warnings(compiler: Compiler, image: Image, tiny_graph: Graph, tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    lowered = run_pipeline(tiny_graph)
    for target in ("generic", "x86-64-v3"):
        plan = random_plan(lowered, find_target(target), image, draw, high=False)
        assert plan is not None
        emitted = emission_of(tiny_graph, lowered, plan, "blob")
        command = [*flags_of(target, compiler), "-O1", *WARNINGS]
        for source in emitted.write(tmp_path):
            run_tool([*command, "-c", source, "-o", "object.o"], tmp_path)


@pytest.mark.parametrize("image", ["caller", "rows"])
def test_no_warnings_on_other_machines(image: Image, tiny_graph: Graph, tmp_path: Path) -> None:
    draw, lowered = np.random.default_rng(6), run_pipeline(tiny_graph)
    plan = random_plan(lowered, GENERIC, image, draw, high=False)
    assert plan is not None
    for source in emission_of(tiny_graph, lowered, plan).write(tmp_path):
        command = ["arm-none-eabi-gcc", "-std=c99", "-O1", *WARNINGS]
        run_tool([*command, "-c", source, "-o", "object.o"], tmp_path)


def test_an_image_in_the_arena(tiny_graph: Graph, tmp_path: Path) -> None:
    """The program writes it to where `model_input` says, and no input is handed in."""
    emitted = emission(tiny_graph, "generic", memory=PlanOptions(input="arena"))
    assert re.search(r"\bmodel_run\(model_t \*m, float \*output\);", emitted.header)
    assert "float *model_input(model_t *m);" in emitted.header
    layers = emission(tiny_graph, "generic")
    found = []
    for name, each in (("arena", emitted), ("layers", layers)):
        folder = tmp_path / name
        folder.mkdir()
        program = each.build(folder, [any_compiler(), "-std=c99", "-O0", *SANITIZERS])
        found.append(each.run(program, normal_inputs(tiny_graph)))
    for name, array in found[1].items():
        np.testing.assert_array_equal(found[0][name], array)


def test_several_images_in_the_arena(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETGEN_CACHE_DIR", str(tmp_path))
    graph = read(
        """
      %other : f32[1,6,5,4] = input
      %a : f32[1,6,5,4] = conv2d(%other, %w, %b)
      %y : f32[1,6,5,4] = add(%a, %image)
      return %y"""
    )
    plan = build_plan(graph, GENERIC, PlanOptions(input="arena"))
    emitted = emission_of(graph, graph, plan)
    assert "float *model_input2(model_t *m);" in emitted.header
    inputs = [array[0] for array in normal_inputs(graph).values()]
    expected = model_of(graph, build_plan(run_pipeline(graph), GENERIC)).run(*inputs)
    model = model_of(graph, build_plan(run_pipeline(graph), GENERIC, PlanOptions(input="arena")))
    np.testing.assert_array_equal(model.run(*inputs), expected)
