"""The look of the emitted C: a reviewer's view before reading the first line."""

from __future__ import annotations

import re
from typing import Any

import pytest

import netgen
from netgen.ir.graph import Graph
from netgen.kernels.targets import TARGETS
from netgen.plan.data.options import DEFAULT, PlanOptions
from tests.cases import different_targets
from tests.emission.programs import emission, emitted_once

TARGET_NAMES = tuple(target.name for target in TARGETS)
# What no one would write by hand: terms that are nothing, parentheses around a word, empty lines.
CLUMSY = {
    "zero term": r"[^\w.]0 \* |\* 0\b(?!\.)| \+ 0\b(?![.x])|[(\[]0 \+ ",
    "factor one": r"[^\w.]1 \* |\* 1\b(?!\.)",
    "useless parentheses": r"[=(+,] \(\w+(?:\[\w+\])?\)[;,) ]",
    "stray blank line": r"\{\n\n|\n\n\s*\}|\n\n\n",
    "block in a block": r"\{\n\s*\{\n",
    "loop that runs once": r"for \(int (\w+) = 0; \1 < 1;",
    "loop that never runs": r"for \(int (\w+) = (\d+); \1 < \2;",
    "double semicolon": r";;",
    "activation that is none": r"\bnone\b",
}


def assert_layout(text: str) -> None:
    assert max(map(len, text.splitlines())) <= 100
    assert not re.search(r"[ \t]+$|\t|\r", text, re.MULTILINE)
    assert not re.search(r"\$\{|<%|<#|#>|//%", text), "a template remains"
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert text.isascii()


def assert_reads_as_if_written_by_hand(text: str) -> None:
    # A macro needs its parentheses.
    plain = re.sub(r"^#define .*(?:\\\n.*)*", "#define", text, flags=re.MULTILINE)
    for what, pattern in CLUMSY.items():
        found = re.search(pattern, plain)
        assert not found, f"{what}: {text[found.start() - 60 : found.end() + 60]}"


@pytest.mark.parametrize("target", different_targets())
def test_looks(target: str, layers_graph: Graph, small_graph: Graph) -> None:
    for graph in (small_graph, layers_graph):
        emitted = emitted_once(graph, target, fuse=graph is small_graph)
        for text in (emitted.logic, emitted.header):
            assert_layout(text)
            assert_reads_as_if_written_by_hand(text)


def test_layout_with_weights_in_c(layers_graph: Graph) -> None:
    emitted = emission(layers_graph, "generic", "c", fuse=False)
    for text in (emitted.logic, emitted.header):
        assert_layout(text)


@pytest.mark.parametrize("target", different_targets())
def test_small_network_is_short(target: str) -> None:
    graph = netgen.load("mobilenet_v1", alpha=0.25, input_size=96)
    # As `netgen compile` writes it; a blob's checks are some 80 lines more.
    assert emission(graph, target, "c").logic.count("\n") < 3000


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(name, marks=[pytest.mark.heavy] * (name != "x86-64-v4"))
        for name in TARGET_NAMES
    ],
)
def test_logic_of_mobilenet_v2_is_small(target: str) -> None:
    emitted = emission(netgen.load("mobilenet_v2"), target, "blob")
    assert len(emitted.logic) + len(emitted.header) < 400_000


def test_steps_are_numbered_as_the_hook_counts_them(small_graph: Graph) -> None:
    emitted = emitted_once(small_graph, "generic")
    numbers = re.findall(r"^    /\* (\d+)\. (\S+): (\S+) \*/$", emitted.logic, re.MULTILINE)
    steps = emitted.plan.steps
    types = [str(emitted.plan.values[step.writes].type) for step in steps]
    assert numbers == [
        (str(n), step.name, kind) for n, (step, kind) in enumerate(zip(steps, types, strict=True))
    ]


def test_each_function_is_there_once(small_graph: Graph) -> None:
    emitted = emitted_once(small_graph, "x86-64-v4")
    kernel = r"^static MODEL_CODE_ATTR MODEL_KERNEL void (model_\w+)\("
    defined = re.findall(kernel, emitted.logic, re.MULTILINE)
    assert len(defined) == len(set(defined)) == len(emitted.plan.instances)
    called = re.findall(r"^    (model_\w+)\(", emitted.logic, re.MULTILINE)
    assert len(called) == len(emitted.plan.steps)
    assert set(called) == set(defined)


def test_the_hook_is_asked_in_one_place(small_graph: Graph) -> None:
    emitted = emitted_once(small_graph, "generic")
    assert emitted.logic.count("model_hook(m, ") == 1
    assert re.findall(r"^    MODEL_STEP_DONE\((\d+)u\);$", emitted.logic, re.MULTILINE) == [
        str(n) for n in range(len(emitted.plan.steps))
    ]


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ({"model": "shufflenet_v1", "scale": 0.25, "input_size": 64}, DEFAULT),
        # With scratch, on a target that has Winograd.
        ({"model": "resnet8"}, PlanOptions(input="arena")),
        ({"model": "mobilenet_v1", "alpha": 0.25, "input_size": 64}, PlanOptions(input="rows")),
    ],
)
def test_every_place_is_named_once_and_used(model: dict[str, Any], options: PlanOptions) -> None:
    emitted = emission(netgen.load(**model), "x86-64-v3", memory=options)
    plan = emitted.plan
    places = re.findall(r"\bMODEL_((?:\w+_)?AT_(\w+)) = (\d+),", emitted.logic)
    assert len({name for name, _, _ in places}) == len(places) > 10
    for name, owner, first in places:
        assert len(re.findall(rf"\bMODEL_{name}\b", emitted.logic)) > 1
        step = plan.steps[int(owner) if owner.isdigit() else 0]
        value = step.writes if owner.isdigit() else plan.inputs[0]
        starts = {
            "": plan.buffer_of(value).offset,
            "WEIGHTS_": step.weights and step.weights.offset,
            "SCRATCH_": step.scratch and plan.buffers[step.scratch].offset,
        }
        assert 4 * int(first) == starts[name.removesuffix(f"AT_{owner}")]
    # What is behind them is within a buffer: whole pixels, or rows of a ring.
    assert not re.search(r"(?:arena|weights) \+ \d", emitted.logic[emitted.logic.index("_hook(") :])
