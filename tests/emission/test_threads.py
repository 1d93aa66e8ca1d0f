"""Runs divided between threads: the same bits, no races, every way that the header offers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netgen
from netgen.emission.header import command_of
from netgen.ir.graph import Graph
from netgen.ir.origin import Origin
from netgen.kernels import KERNELS
from netgen.kernels.targets import Compiler, find_target
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.schedule import division
from tests.emission.programs import WARNINGS, Emission, emission, emitted_once, flags_of
from tests.kernels.layers import normal_inputs
from tests.plan.small_graphs import built as built_graph
from tests.tools import (
    COMPILERS,
    Program,
    ToolError,
    any_compiler,
    link,
    require_processor,
    run_tool,
)

CHECKS = Path(__file__).with_name("threads.c")
WAYS = {
    "caller": PlanOptions(),
    "arena": PlanOptions(input="arena"),
    "rows": PlanOptions(input="rows"),
    "in_place": PlanOptions(ram=1 << 30, accept_gap=True),
    "smallest": PlanOptions(ram=30_000, accept_gap=True),
}


@pytest.fixture
def all_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small layers are divided, too, which would not pay."""
    monkeypatch.setattr(division, "_MEETING_CYCLES", -1.0)


def divided(emitted: Emission) -> list[str]:
    """The names of the instances that are divided."""
    return [i.name for i in emitted.plan.instances if i.parameters.get("split") is not None]


def with_threads(way: str, threads: int) -> PlanOptions:
    chosen = WAYS[way]
    return PlanOptions(chosen.ram, chosen.input, accept_gap=chosen.accept_gap, threads=threads)


@pytest.mark.usefixtures("all_divided")
def test_a_call_points_at_what_weights_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """At no type, where weights are of another one than all else."""
    graph = built_graph("ds_cnn")
    assert (
        "    const float *w;\n" in emission(graph, "generic", memory=PlanOptions(threads=2)).logic
    )
    for kernel in KERNELS:
        monkeypatch.setattr(type(kernel), "weights_element", "i8")
    assert "    const void *w;\n" in emission(graph, "generic", memory=PlanOptions(threads=2)).logic


def built(emitted: Emission, folder: Path, compiler: Compiler, target: str) -> Program:
    folder.mkdir()
    return emitted.build(folder, [*flags_of(target, compiler), "-pthread"])


@pytest.mark.parametrize("target", ["generic", "x86-64-v4"])
def test_without_the_option_there_are_no_threads(target: str, small_graph: Graph) -> None:
    emitted = emitted_once(small_graph, target)
    for text in (emitted.logic, emitted.header):
        assert not any(word in text for word in ("thread", "parallel", "_divide", "part)"))


@pytest.mark.usefixtures("all_divided")
@pytest.mark.parametrize(
    ("compiler", "target"),
    [
        *(pytest.param("gcc", "generic", marks=pytest.mark.heavy), ("gcc", "x86-64-v4")),
        pytest.param("clang", "x86-64-v3", marks=pytest.mark.heavy),
    ],
)
@pytest.mark.parametrize("threads", [pytest.param(2, marks=pytest.mark.heavy), 5])
def test_layers_of_every_kind_keep_their_bits(
    threads: int, compiler: Compiler, target: str, layers_graph: Graph, tmp_path: Path
) -> None:
    require_processor(target)
    inputs = normal_inputs(layers_graph)
    whole = emission(layers_graph, target, fuse=False)
    expected = whole.run(built(whole, tmp_path / "whole", compiler, target), inputs)
    emitted = emission(layers_graph, target, fuse=False, memory=PlanOptions(threads=threads))
    check_plan(emitted.plan)
    assert len(divided(emitted)) > len(emitted.plan.instances) // 2
    found = emitted.run(built(emitted, tmp_path / "divided", compiler, target), inputs)
    for name, value in expected.items():
        assert np.array_equal(found[name], value, equal_nan=True), name


@pytest.mark.heavy  # networks of the layers above, and those of the runtime's tests
@pytest.mark.usefixtures("all_divided")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("numbers", [(3,), (2, 5)], ids=lambda n: f"{n}")
def test_networks_keep_their_bits(
    numbers: tuple[int, ...], way: str, small_graph: Graph, tmp_path: Path
) -> None:
    target = "x86-64-v3"
    require_processor(target)
    inputs = normal_inputs(small_graph)
    results = []
    for threads in (1, *numbers):
        emitted = emission(small_graph, target, memory=with_threads(way, threads))
        check_plan(emitted.plan)
        assert bool(divided(emitted)) == (threads > 1)
        program = built(emitted, tmp_path / str(threads), "gcc", target)
        (result,) = emitted.run(program, inputs).values()
        results.append(result.tobytes())
    assert len(set(results)) == 1


def checked(graph: Graph, folder: Path, command: Sequence[str | Path], way: str = "caller") -> None:
    """Build threads.c with a divided model and one that is not; run it."""
    pair = [
        emission(graph, "generic", "incbin", memory=with_threads(way, 3)),
        emission(graph, "generic", "incbin", prefix="whole"),
    ]
    assert divided(pair[0])
    sources = [name for emitted in pair for name in emitted.write(folder)]
    steps = f"-DSTEPS={len(pair[0].plan.steps)}"
    program = link(folder, [*command, steps, "-pthread", "-I."], [*sources, CHECKS], "checks")
    assert program.run() == b""


@pytest.mark.usefixtures("all_divided")
@pytest.mark.parametrize(
    ("compiler", "standard"),
    [
        *(("gcc", "c11"), ("clang", "c99")),
        *(
            pytest.param(*pair, marks=pytest.mark.heavy)
            for pair in (("gcc", "c99"), ("clang", "c11"))
        ),
    ],
)
def test_all_ways_to_run(compiler: str, standard: str, tiny_graph: Graph, tmp_path: Path) -> None:
    checked(tiny_graph, tmp_path, [compiler, f"-std={standard}", "-O1", *WARNINGS])


@pytest.mark.usefixtures("all_divided")
@pytest.mark.parametrize("way", [pytest.param("caller", marks=pytest.mark.heavy), "in_place"])
@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.heavy)])
@pytest.mark.parametrize("size", ["tiny", pytest.param("small", marks=pytest.mark.heavy)])
def test_the_thread_sanitizer_has_no_report(
    size: str, compiler: str, way: str, tiny_graph: Graph, small_graph: Graph, tmp_path: Path
) -> None:
    graph = tiny_graph if size == "tiny" else small_graph
    checked(graph, tmp_path, [compiler, "-std=c99", "-O1", "-g", "-fsanitize=thread"], way)


@pytest.mark.usefixtures("all_divided")
def test_the_thread_sanitizer_sees_races(tiny_graph: Graph, tmp_path: Path) -> None:
    """The same program with helpers that say too early that they are done has a race."""
    emitted = emission(tiny_graph, "generic", memory=PlanOptions(threads=2))
    done, begin = "        MODEL_COUNT_UP(&team->done);\n", "        for (int part = self->number;"
    assert emitted.logic.count(done) == emitted.logic.count(begin) == 1
    text = emitted.logic.replace(done, "").replace(begin, done + begin)
    files = {**emitted.files, "model.c": text.encode()}
    broken = Emission(emitted.plan, files, "model")
    sanitized = [any_compiler(), "-std=c99", "-O1", "-g", "-fsanitize=thread", "-pthread"]
    program = broken.build(tmp_path, sanitized)
    with pytest.raises(ToolError, match="data race"):
        broken.run(program, normal_inputs(tiny_graph))


@pytest.mark.usefixtures("all_divided")
@pytest.mark.parametrize("first", [1, pytest.param(2, marks=pytest.mark.heavy)])
def test_threads_that_do_not_start(first: int, tiny_graph: Graph, tmp_path: Path) -> None:
    wrap = ["-Wl,--wrap=pthread_create", f"-DFAIL_FROM={first}"]
    checked(tiny_graph, tmp_path, [any_compiler(), "-std=c99", "-O1", *wrap])


@pytest.mark.usefixtures("all_divided")
@pytest.mark.parametrize(
    "compiler",
    [*(pytest.param(c, marks=pytest.mark.heavy) for c in ("gcc", "clang")), "arm-none-eabi-gcc"],
)
def test_without_threads_of_the_system(compiler: str, tiny_graph: Graph, tmp_path: Path) -> None:
    emitted = emission(tiny_graph, "generic", memory=PlanOptions(threads=2))
    emitted.write(tmp_path)
    command = [compiler, "-std=c99", "-O1", "-DMODEL_THREADS_NONE", *WARNINGS]
    run_tool([*command, "-c", "model.c"], tmp_path)
    if compiler != "arm-none-eabi-gcc":
        symbols = run_tool(["nm", "-u", "model.o"], tmp_path).decode()
        assert "pthread" not in symbols
        assert "thrd" not in symbols
        checked(tiny_graph, tmp_path, [compiler, "-std=c99", "-DMODEL_THREADS_NONE"])


@pytest.mark.usefixtures("all_divided")
@pytest.mark.parametrize("compiler", COMPILERS)
def test_vector_targets_have_no_warnings(compiler: str, tiny_graph: Graph, tmp_path: Path) -> None:
    for target in ("x86-64-v3", "x86-64-v4"):
        emission(tiny_graph, target, memory=PlanOptions(threads=2)).write(tmp_path)
        machine = find_target(target).machine_flags
        command = [compiler, "-std=c99", "-O0", *machine, *WARNINGS]
        run_tool([*command, "-c", "model.c"], tmp_path)


def test_the_command_repeats_the_option() -> None:
    origin, options = Origin("resnet8"), PlanOptions(threads=4)
    command = command_of(origin, find_target("generic"), "model", "model", "c", options)
    assert "--threads 4" in command
    assert "threads" not in command_of(origin, find_target("generic"), "m", "m", "c")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("model", "options", "way"),
    [
        ("mobilenet_v2", {"alpha": 0.35, "input_size": 96}, "caller"),
        ("mobilenet_v3_small", {}, "rows"),
        ("shufflenet_v1", {}, "caller"),
        ("shufflenet_v2", {}, "rows"),
        ("resnet20", {}, "rows"),
        ("squeezenet", {}, "caller"),
    ],
)
def test_models_keep_their_bits(model: str, options: dict[str, Any], way: str) -> None:
    graph = netgen.load(model, **options)
    image = np.random.default_rng(1).standard_normal((3, *graph.inputs[0].type.shape[1:]))
    results = []
    # Each number of threads with each network; test_networks_keep_their_bits has all pairs.
    for threads in (1, *{"caller": (2, 5), "rows": (3,)}[way]):
        compiled = netgen.compile(graph, input=WAYS[way].input, accept_gap=True, threads=threads)
        batch = np.asarray(compiled(image.astype(np.float32)))
        single = [compiled(one) for one in image.astype(np.float32)]
        results += [batch.tobytes(), np.stack([np.asarray(s) for s in single]).tobytes()]
    assert len(set(results)) == 1
