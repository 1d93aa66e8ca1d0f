"""Rows that are pushed: the promises of the header, for every way to keep or break them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.emission.header import command_of
from netgen.errors import PlanError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.origin import Origin
from netgen.kernels.targets import Compiler, find_target
from netgen.ops import conv2d, flatten, global_avg_pool, linear, max_pool2d, pad, relu
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.data.execution_order import execution_order
from netgen.plan.data.options import DEFAULT, PlanOptions
from netgen.plan.data.plan import Plan, Segment
from netgen.weights.seeded import seeded_weights
from tests.emission.programs import SANITIZERS, WARNINGS, Emission, emission, emission_of
from tests.guides.blocks import README, REPOSITORY, blocks
from tests.kernels.layers import normal_inputs
from tests.plan.segments.cuts import random_plan
from tests.tools import any_compiler, link, require_processor, run_tool

GUIDE = REPOSITORY / "netgen" / "guides" / "rows.md"
CHECKS = Path(__file__).with_name("push.c")
ROWS = PlanOptions(input="rows")


@network
def sandwich() -> Tensor:
    """Rows of padding before all others, windows of several rows, an odd height and width."""
    x = relu(pad(image(13, 9, 2), (2, 1, 0, 3)))
    x = max_pool2d(conv2d(x, 5, 3, stride=(2, 1), pad=(1, 1, 2, 0)), 3, stride=2)
    return linear(flatten(global_avg_pool(conv2d(x, 7, 1))), 4)


def sandwich_graph() -> Graph:
    graph = sandwich.build()
    return graph.with_constants(seeded_weights(graph))


def pushed_as_far_as_possible(graph: Graph, target: str, prefix: str = "pushed") -> Emission:
    """A plan of random cuts whose first segment is long: none of short ones says much."""
    lowered, draw = run_pipeline(graph), np.random.default_rng(1)
    plans = [random_plan(lowered, find_target(target), "rows", draw, high=False) for _ in range(9)]
    longest = max((plan for plan in plans if plan), key=lambda plan: plan.segments[0].last)
    assert longest.segments[0].last >= 3
    return emission_of(graph, lowered, longest, "incbin", prefix)


def bands(plan: Plan) -> int:
    return sum(band.step >= 0 for band in execution_order(plan))


def checked(graph: Graph, target: str, folder: Path, command: Sequence[str]) -> tuple[Plan, bytes]:
    """Build push.c with both models, run it; the pushed plan and what it printed."""
    require_processor(target)
    pushed, whole = (
        pushed_as_far_as_possible(graph, target),
        emission(graph, target, "incbin", "whole"),
    )
    sources = [*pushed.write(folder), *whole.write(folder)]
    counts = [f"-DSTEPS={len(pushed.plan.steps)}", f"-DBANDS={bands(pushed.plan)}"]
    program = link(folder, [*command, *counts, "-I."], [*sources, CHECKS], "checks")
    return pushed.plan, program.run()


@pytest.mark.parametrize(
    ("compiler", "target", "flags"),
    [
        ("gcc", "generic", ("-O0", *SANITIZERS)),
        ("clang", "generic", ("-O0", *SANITIZERS)),
        ("gcc", "x86-64-v3", ("-O2", *WARNINGS)),
        ("clang", "x86-64-v4", ("-O2",)),
    ],
)
def test_every_way_to_push(
    compiler: Compiler, target: str, flags: tuple[str, ...], tmp_path: Path
) -> None:
    machine = find_target(target).machine_flags
    checked(sandwich_graph(), target, tmp_path, [compiler, "-std=c99", *machine, *flags])


@pytest.mark.heavy
def test_a_network_and_its_worst_row(small_graph: Graph, tmp_path: Path) -> None:
    """The header's MACs, from how often the program executed each step for each row."""
    plan, printed = checked(small_graph, "generic", tmp_path, [any_compiler(), "-std=c99", "-O1"])
    counts = np.array([line.split() for line in printed.decode().splitlines()], int)
    each = np.array([step.macs for step in plan.steps]) / counts.sum(axis=0)
    macs = counts @ each
    header = (tmp_path / "pushed.h").read_text()
    assert defined(header, "PUSHED_PUSH_WORST_MACS") == macs[:-1].max()
    assert defined(header, "PUSHED_PUSH_FINISH_MACS") == macs[-1]
    assert defined(header, "PUSHED_MACS") == macs.sum() == plan.macs


def defined(header: str, name: str) -> int:
    """The number that a macro stands for."""
    (number,) = re.findall(rf"#define {name} (\d+)", header)
    return int(number)


def test_rows_of_padding_alone_come_first() -> None:
    """Two steps can compute before anything is pushed, and the C lets them."""
    emitted = pushed_as_far_as_possible(sandwich_graph(), "generic")
    first = next(execution_order(emitted.plan))
    assert first.step >= 0
    begin = emitted.logic[emitted.logic.index("pushed_push_begin(") :]
    flow = f"pushed_steps_0_to_{emitted.plan.segments[0].last}(m)"
    assert flow in begin[: begin.index("\n}")]


def test_the_header_of_a_model_with_pushed_rows(tiny_graph: Graph, tmp_path: Path) -> None:
    emitted = emission(tiny_graph, "generic", memory=ROWS)
    for line in (
        "int32_t model_push_begin(model_t *m);",
        "int32_t model_push_rows( model_t *m, const float *rows, size_t row_stride_bytes, "
        "uint32_t count);",
        "int32_t model_push_finish(model_t *m, float *output);",
        "int32_t model_run(model_t *m, const float *input, float *output);",
    ):
        assert line in " ".join(emitted.header.split())
    emitted.write(tmp_path)
    (tmp_path / "use.cpp").write_text('#include "model.h"\nint main() { return MODEL_OK; }\n')
    run_tool(["g++", "-Wall", "-Wextra", "-pedantic", "-Werror", "-c", "use.cpp"], tmp_path)


def test_other_models_have_no_trace_of_pushing(tiny_graph: Graph) -> None:
    emitted = emission(tiny_graph, "generic")
    assert "push" not in emitted.header.lower() + emitted.logic.lower()


def test_ram_lines_say_where_the_image_is(tiny_graph: Graph) -> None:
    pushed = emission(tiny_graph, "generic", memory=ROWS).logic
    assert "bytes of arena; the image is pushed row by row; the caller's output 20" in pushed
    held = emission(tiny_graph, "generic", memory=PlanOptions(input="arena")).logic
    assert "bytes of arena; the image is written there; the caller's output 20" in held
    assert re.search(r"  image \(\d of 10 rows\)", pushed)


LINES = """
#include <stdio.h>
static float lines[MODEL_INPUT_ELEMENTS], scores[MODEL_OUTPUT_ELEMENTS];
static int line;
const float *next_line(void)
{
    return lines + line++ * MODEL_INPUT_WIDTH * MODEL_INPUT_CHANNELS;
}
int main(void)
{
    if (fread(lines, sizeof(float), MODEL_INPUT_ELEMENTS, stdin) != MODEL_INPUT_ELEMENTS) {
        return 1;
    }
    const int32_t status = classify_lines(scores);
    fwrite(scores, sizeof(float), MODEL_OUTPUT_ELEMENTS, stdout);
    return -(int)status;
}
"""


@pytest.mark.parametrize("document", [README, GUIDE], ids=lambda path: path.stem)
def test_the_example_of_the_documents(document: Path, small_graph: Graph, tmp_path: Path) -> None:
    (snippet,) = (block.text for block in blocks(document) if block.language == "c")
    options = PlanOptions(ram=19000, input="rows")
    emitted = emission(small_graph, "generic", "incbin", memory=options)
    sources = emitted.write(tmp_path)
    (tmp_path / "main.c").write_text(snippet + LINES)
    warnings = ["-std=c99", "-O1", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    program = link(tmp_path, [any_compiler(), *warnings, "-I."], ["main.c", *sources])
    inputs = normal_inputs(small_graph)
    (image_of,) = inputs.values()
    found = np.frombuffer(program.run(feed=image_of.tobytes()), np.float32)
    (expected,) = (interpret(small_graph, inputs)[name] for name in small_graph.outputs)
    np.testing.assert_allclose(found, expected.ravel(), rtol=0, atol=1e-5 * abs(expected).max())


def test_the_ram_that_the_guide_names() -> None:
    graph = run_pipeline(netgen.load("mobilenet_v2", alpha=0.35, input_size=96))
    options: dict[str, PlanOptions] = {
        "none: layer by layer": DEFAULT,
        "`--ram 60K`: in bands": PlanOptions(61440),
        "`--ram 60K --input rows`": PlanOptions(61440, "rows"),
    }
    held = {"caller": "the image, 110,592", "rows": "no image: a row at a time, 1,152"}
    assert (4 * 96 * 96 * 3, 4 * 96 * 3) == (110_592, 1_152)
    for said, planning in options.items():
        plan = build_plan(graph, find_target("generic"), planning)
        arena = f"{plan.certificate.arena_bytes:,}"
        row = rf"\| {re.escape(said)} \| {arena}[^|]*\| {held[planning.input]}"
        assert re.search(row, GUIDE.read_text(encoding="utf-8")), said


def test_the_command_has_the_options_of_the_plan() -> None:
    planning = PlanOptions(ram=61440, input="rows")
    command = command_of(Origin("net"), find_target("generic"), "model", "model", "c", planning)
    assert command == ("netgen compile net --target generic --ram 61440 --input rows -o model.c")


def test_two_outputs_are_given_at_the_end() -> None:
    @network
    def forked() -> tuple[Tensor, Tensor]:
        x = relu(conv2d(image(8, 8, 2), 4, 3))
        x = flatten(global_avg_pool(x))
        return linear(x, 3), linear(x, 2)

    graph = forked.build()
    emitted = emission(graph.with_constants(seeded_weights(graph)), "generic", memory=ROWS)
    declared = "int32_t model_push_finish(model_t *m, float *output1, float *output2);"
    assert declared in emitted.header


def test_an_output_that_appears_too_early_is_refused(tiny_graph: Graph) -> None:
    """Its place is not known before the end: no plan may ask for that."""
    lowered = run_pipeline(tiny_graph)
    plan = build_plan(lowered, find_target("generic"), ROWS)
    everything = replace(plan, segments=(Segment(0, len(plan.steps) - 1),))
    with pytest.raises(PlanError, match=r"step %classifier: an output is written while rows"):
        emission_of(tiny_graph, lowered, everything)
