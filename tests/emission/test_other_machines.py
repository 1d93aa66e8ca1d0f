"""Every target's file compiles with any compiler for any processor, and is right there."""

from __future__ import annotations

from pathlib import Path

import pytest

from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.kernels.targets import TARGETS, find_target
from tests.emission.programs import WARNINGS, emission
from tests.kernels.layers import normal_inputs, worst_errors
from tests.tools import AARCH64_GCC, run_tool

TARGET_NAMES = tuple(target.name for target in TARGETS)
BOARDS = {
    "cortex-m4": ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
    "cortex-m7": ("-mcpu=cortex-m7", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv5-d16"),
}


def check(
    graph: Graph,
    target: str,
    folder: Path,
    command: list[str],
    *,
    fuse: bool = False,
) -> None:
    """Build, run, compare with the reference."""
    emitted = emission(graph, target, fuse=fuse)
    program = emitted.build(folder, command)
    inputs = normal_inputs(graph)
    found = emitted.run(program, inputs)
    assert max(worst_errors(found, interpret(graph, inputs)).values()) < 1e-5


@pytest.mark.parametrize(
    ("board", "target"),
    [
        *(("cortex-m4", "generic"), ("cortex-m7", TARGET_NAMES[-1])),
        *(
            pytest.param(("cortex-m7", "cortex-m4")[n % 2], target, marks=pytest.mark.heavy)
            for n, target in enumerate(TARGET_NAMES[:-1])
        ),
    ],
)
def test_compiles_for_boards(
    target: str,
    board: str,
    tiny_graph: Graph,
    tmp_path: Path,
) -> None:
    command = ["arm-none-eabi-gcc", "-std=c99", "-O2", *BOARDS[board], *WARNINGS]
    for source in emission(tiny_graph, target).write(tmp_path):
        run_tool([*command, "-c", source], tmp_path)


@pytest.mark.parametrize(
    ("compiler", "target"),
    [
        *(("gcc", "aarch64"), ("clang", "x86-64-v4")),
        *(
            pytest.param(*pair, marks=pytest.mark.heavy)
            for pair in (("gcc", "x86-64-v4"), ("clang", "aarch64"))
        ),
    ],
)
def test_portable_twin_is_right(
    compiler: str, target: str, layers_graph: Graph, tmp_path: Path
) -> None:
    """Without the target's flags the vectors are lowered to what any x86-64 has."""
    check(layers_graph, target, tmp_path, [compiler, "-std=c99", "-O0"])


def test_right_on_aarch64(layers_graph: Graph, tmp_path: Path) -> None:
    flags = find_target("aarch64").flags("gcc")
    check(layers_graph, "aarch64", tmp_path, [AARCH64_GCC, "-static", *flags])


@pytest.mark.heavy
@pytest.mark.parametrize("target", TARGET_NAMES)
def test_networks_right_on_aarch64(target: str, small_graphs: list[Graph], tmp_path: Path) -> None:
    flags = find_target("aarch64").flags("gcc")
    if target != "aarch64":
        flags = (*flags, "-O1")  # its wide vectors, lowered, take gcc long to optimise
    for graph in small_graphs:
        check(graph, target, tmp_path, [AARCH64_GCC, "-static", *flags], fuse=True)
