"""Nothing is printed that the C does not use: no macro, constant, function or variable."""

from __future__ import annotations

from pathlib import Path

import pytest

import netgen
from netgen.emission.options import WeightsAs
from netgen.ir.graph import Graph
from netgen.ir.text import parse_graph
from netgen.kernels.targets import find_target
from netgen.plan.data.options import DEFAULT, PlanOptions
from netgen.plan.schedule import division
from tests.cases import heavy
from tests.emission.programs import Emission, emission
from tests.kernels.layers import KINDS, drawn_layers, network_of
from tests.tools import any_compiler, compiler_for, run_tool

TARGETS = ("generic", "x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64")
FORMS: tuple[WeightsAs, ...] = ("c", "inline", "incbin", "blob")
UNUSED = ("-Wall", "-Wextra", "-Wunused", "-Wunused-macros", "-Werror")
OPTIONS = {
    "plain": DEFAULT,
    "bands": PlanOptions(ram=20_000),
    "regions": PlanOptions(ram=(16_000, 100_000)),
    "arena": PlanOptions(input="arena"),
    "rows": PlanOptions(input="rows"),
    "threads": PlanOptions(threads=3),
    "rows and threads": PlanOptions(input="rows", threads=3),
}
CODES = """netgen 1

graph codes {
  %x : f32[1,12,10,8] = input
  %q : i8[1,12,10,8] {scale=0x1p-5, zero=3} = quantize(%x) {scale=0x1p-5, zero=3, dtype=i8}
  %d : f32[1,12,10,8] = dequantize(%q)
  return %d, %q
}
"""


@pytest.fixture(autouse=True)
def divide_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small layers are divided as well."""
    monkeypatch.setattr(division, "_MEETING_CYCLES", -1.0)


def assert_all_is_used(made: Emission, folder: Path) -> None:
    """Compile the C file as threads have it and without them; each other one of the processor."""
    made.write(folder)
    kind, target = any_compiler(), find_target(made.plan.target)
    # clang has no levels: it warns in the file itself.
    constants = "-Wunused-const-variable" + ("=2" if kind == "gcc" else "")
    command = [*compiler_for(target.name, kind), *UNUSED, constants, "-I.", "-fsyntax-only"]
    runs = [[]] if made.plan.threads == 1 else [[], ["-std=c11"], ["-DMODEL_THREADS_NONE"]]
    for more in runs:
        run_tool([*command, *more, "model.c"], folder)


@pytest.mark.parametrize("target", TARGETS)
def test_every_kernel(target: str, layers_graph: Graph, tmp_path: Path) -> None:
    assert_all_is_used(emission(layers_graph, target, fuse=False), tmp_path)


@pytest.mark.parametrize(
    ("target", "weights_as", "options"),
    [
        ("generic", "c", "rows and threads"),
        ("x86-64-v3", "blob", "bands"),
        *(heavy(t, w, o) for t in TARGETS for w, o in zip(2 * FORMS, OPTIONS, strict=False)),
    ],
)
def test_options(
    target: str, weights_as: WeightsAs, options: str, small_graph: Graph, tmp_path: Path
) -> None:
    assert_all_is_used(emission(small_graph, target, weights_as, memory=OPTIONS[options]), tmp_path)


@pytest.mark.parametrize("target", ["generic", heavy("x86-64-v3")])
@pytest.mark.parametrize("threads", [1, 2])
def test_codes_without_weights(target: str, threads: int, tmp_path: Path) -> None:
    graph, _ = parse_graph(CODES)
    assert_all_is_used(emission(graph, target, memory=PlanOptions(threads=threads)), tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", [2, 7])
def test_more_layers(target: str, seed: int, tmp_path: Path) -> None:
    layers = network_of(drawn_layers(seed, KINDS, len(KINDS)))
    for threads in (1, 3):
        made = emission(layers, target, fuse=False, memory=PlanOptions(threads=threads))
        assert_all_is_used(made, tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", ["shufflenet_v1", "shufflenet_v2", "resnet8", "squeezenet"])
def test_networks(model: str, target: str, tmp_path: Path) -> None:
    assert_all_is_used(emission(netgen.load(model), target), tmp_path)
